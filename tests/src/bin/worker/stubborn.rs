//! A process that counts on a board whatever becomes of the board: no refusal ends it.

use std::error::Error;
use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tallyboard::Board;

/// Registers and updates metrics of every type under labels chosen at random, until a second line comes in on the
/// standard input. Says then how many rounds it made, how many registrations were refused, and the longest round.
pub(crate) fn run(board: &Board, series: u64, seed: u64) -> Result<(), Box<dyn Error>> {
    // A handle that is kept, beside those that are looked up again and again.
    let kept = board.counter("storm_kept_total", "Rounds.").register()?;
    let latency = board.histogram("storm_kept_seconds", "").register()?;
    super::wait_for_start(board)?;
    // Relaxed: the flag says nothing about other memory.
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    std::thread::spawn(move || {
        let _ = stdin().read_line(&mut String::new());
        told.store(true, Ordering::Relaxed);
    });
    let (mut random, mut rounds, mut refused, mut longest) =
        (seed | 1, 0_u64, 0_u64, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let label = (random >> 32) % series;
        let kind = label.to_string();
        let done = match random >> 8 & 3 {
            0 => board
                .counter("storm_total", "")
                .label("kind", &kind)
                .register()
                .map(|events| events.inc()),
            1 => board
                .gauge("storm_level", "")
                .label("kind", &kind)
                .register()
                .map(|level| level.set(1.0)),
            2 => board
                .summary("storm_bytes", "")
                .label("kind", &kind)
                .register()
                .map(|bytes| bytes.observe(1.0)),
            _ => board
                .histogram("storm_seconds", "")
                .label("kind", &kind)
                .register()
                .map(|took| took.observe(0.1)),
        };
        refused += u64::from(done.is_err());
        kept.inc();
        latency.observe(0.01);
        rounds += 1;
        longest = longest.max(begun.elapsed());
    }
    println!("{rounds} rounds, {refused} refused, longest {longest:?}");
    Ok(())
}
