//! Real processes on one board: forked, killed at any moment, interrupted, moved between
//! CPUs; with exact accounting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tallyboard::{
    Board, BoardOptions, Counter, Location, Number, Reader, RefusedReason, UpdatePath,
};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn at(directory: &Path) -> Location {
    Location::Path(directory.join("test.board"))
}

fn options() -> BoardOptions {
    Board::options().slots(256).processes(8)
}

/// A forked child. It may use the boards and handles of its parent; it must not open any,
/// since another thread of the parent may have held a lock.
struct Child(libc::pid_t);

impl Child {
    fn fork(work: impl FnOnce()) -> Child {
        // SAFETY: the child goes on with this thread alone, uses nothing that other threads
        // of the test may have locked, and leaves by `_exit`.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork failed");
        if pid == 0 {
            let code = i32::from(catch_unwind(AssertUnwindSafe(work)).is_err());
            // SAFETY: ends this process and nothing else.
            unsafe { libc::_exit(code) };
        }
        Child(pid)
    }

    fn kill(self) {
        // SAFETY: our own child, which was not yet waited for.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        assert_eq!(self.status() & 0x7f, libc::SIGKILL);
    }

    fn wait(self) {
        assert_eq!(self.status(), 0, "the child failed");
    }

    fn status(&self) -> i32 {
        let mut status = 0;
        // SAFETY: our own child; `status` is written.
        let waited = unsafe { libc::waitpid(self.0, &mut status, 0) };
        assert_eq!(waited, self.0);
        status
    }
}

/// Words that parent and children share.
struct Shared(*const [AtomicU64; 8]);

impl Shared {
    fn new() -> Shared {
        // SAFETY: a new anonymous mapping touches nothing of ours.
        let page = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(page, libc::MAP_FAILED);
        Shared(page.cast())
    }

    fn words(&self) -> &[AtomicU64; 8] {
        // SAFETY: mapped by `new`, never unmapped, and zeros are atomics.
        unsafe { &*self.0 }
    }

    /// Waits until word `at` has come to `least`.
    fn wait_for(&self, at: usize, least: u64) {
        while self.words()[at].load(Ordering::Acquire) < least {
            std::thread::yield_now();
        }
    }

    fn add(&self, at: usize) {
        self.words()[at].fetch_add(1, Ordering::Release);
    }
}

/// A number that looks random, for moments to kill at; the same in every run.
fn scattered(n: u64) -> u64 {
    (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

fn sum_of(board: &Board, name: &str) -> f64 {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let family = reader.families().iter().find(|family| family.name == name);
    let values = family.into_iter().flat_map(|family| &family.series);
    values
        .filter_map(|series| reader.counter(series))
        .map(Number::as_f64)
        .sum()
}

/// Runs the test `name` in a process of its own, with `MARK` in its environment.
fn run_alone(name: &str, environment: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(MARK, name)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}
const MARK: &str = "TALLYBOARD_TEST_ALONE";

fn is_alone(name: &str) -> bool {
    std::env::var_os(MARK).is_some_and(|word| word == name)
}

#[test]
fn writers_killed_while_they_register_lose_no_count_and_no_slot() {
    const ROUNDS: u64 = 60;
    const BEGUN: usize = 0;
    const DONE: usize = 1;
    const MOST: u64 = 100;
    let directory = directory();
    let board = Board::options().slots(16_384).processes(4);
    let board = board.open(&at(directory.path())).unwrap();
    let labels = ["round", "n", "long"];
    let family = board
        .counter("c_total", "")
        .labels(&labels)
        .family()
        .unwrap();
    let others = board
        .counter("others_total", "")
        .labels(&["n"])
        .family()
        .unwrap();
    // Long enough for a chain of several slots.
    let long = "l".repeat(700);
    let (mut begun, mut done) = (0, 0);
    for round in 0..ROUNDS {
        let shared = Shared::new();
        let child = Child::fork(|| {
            for n in 0..MOST {
                let long = if n % 2 == 0 { long.as_str() } else { "" };
                let values = [&round.to_string(), &n.to_string(), long];
                let counter = family.try_with(&values).unwrap();
                shared.add(BEGUN);
                counter.inc();
                shared.add(DONE);
            }
            loop {
                std::thread::yield_now();
            }
        });
        shared.wait_for(DONE, scattered(round) % MOST);
        child.kill();
        begun += shared.words()[BEGUN].load(Ordering::Acquire);
        done += shared.words()[DONE].load(Ordering::Acquire);
        // The others go on at once, whatever the dead left.
        let other = others.try_with(&[&round.to_string()]).unwrap();
        other.inc();
        // At most one registration of the dead is unfinished, in one chain.
        let mut unfinished = board.check();
        unfinished.retain(|fault| fault.place.starts_with("slot"));
        assert!(unfinished.len() <= 1 + round as usize, "{unfinished:?}");
        let value = sum_of(&board, "c_total");
        assert!(
            done as f64 <= value && value <= begun as f64,
            "{done} {value} {begun}"
        );
    }
    assert_eq!(sum_of(&board, "others_total"), ROUNDS as f64);
    // A board that has become full is swept.
    let mut filled = 0;
    while others.try_with(&[&format!("fill {filled}")]).is_ok() {
        filled += 1;
    }
    assert!(
        board
            .stats()
            .refused
            .contains(&(RefusedReason::BoardFull, 1))
    );
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        ["board: has no free slot: 1 registrations were refused"]
    );
    assert_eq!(board.stats().slots_used, board.stats().slots);
}

#[test]
fn the_row_of_a_killed_process_is_claimed_again() {
    let directory = directory();
    let board = options().processes(2).open(&at(directory.path())).unwrap();
    let family = board
        .counter("c_total", "")
        .labels(&["n"])
        .family()
        .unwrap();
    family.with(&["parent"]).inc();
    for n in 0..20 {
        let shared = Shared::new();
        let child = Child::fork(|| {
            family.try_with(&[&n.to_string()]).unwrap().inc();
            shared.add(0);
            loop {
                std::thread::yield_now();
            }
        });
        shared.wait_for(0, 1);
        assert_eq!(board.stats().processes_used, 2);
        // Both rows belong to the living: a third process gets none, and can still count.
        Child::fork(|| {
            assert!(family.try_with(&["third"]).is_err());
            family.with(&["parent"]).inc();
        })
        .wait();
        child.kill();
    }
    assert_eq!(sum_of(&board, "c_total"), 41.0);
    assert_eq!(board.stats().reaped, 19);
    board.reap();
    assert_eq!(board.stats().reaped, 20);
    assert_eq!(board.check(), []);
}

#[test]
fn a_forked_child_has_a_row_of_its_own_and_counts_on_its_parents_handles() {
    const EACH: u64 = 100_000;
    let directory = directory();
    let board = options().open(&at(directory.path())).unwrap();
    let counter = board.counter("c_total", "").register().unwrap();
    let histogram = board.histogram("h", "").buckets(&[1.0]).register().unwrap();
    counter.inc();
    let shared = Shared::new();
    let children: Vec<_> = (0..4)
        .map(|n| {
            Child::fork(|| {
                let own = board.counter("own_total", "").label("n", &n.to_string());
                let own = own.register().unwrap();
                shared.add(0);
                shared.wait_for(1, 1);
                for _ in 0..EACH {
                    counter.inc();
                    histogram.observe(0.5);
                    own.inc();
                }
            })
        })
        .collect();
    shared.wait_for(0, 4);
    assert_eq!(board.stats().processes_used, 5);
    shared.add(1);
    for _ in 0..EACH {
        counter.inc();
    }
    for child in children {
        child.wait();
    }
    assert_eq!(counter.get(), Number::Int(1 + 5 * EACH));
    assert_eq!(sum_of(&board, "own_total"), (4 * EACH) as f64);
    let mut reader = Reader::new(&board);
    reader.refresh();
    let mut buckets = [0; 2];
    let sum = reader.histogram(reader.families()[1].series.first().unwrap(), &mut buckets);
    assert_eq!((sum, buckets), (Some(2.0 * EACH as f64), [4 * EACH, 0]));
    board.reap();
    assert_eq!(board.check(), []);
}

static INTERRUPTED: OnceLock<Counter> = OnceLock::new();
static INTERRUPTIONS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count_in_handler(_: libc::c_int) {
    if let Some(counter) = INTERRUPTED.get() {
        counter.inc();
        counter.add_f64(0.5);
        INTERRUPTIONS.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_signal_handler_may_count_while_its_thread_counts() {
    let directory = directory();
    let board = options().open(&at(directory.path())).unwrap();
    let counter = board.counter("c_total", "").register().unwrap();
    INTERRUPTED.set(counter.clone()).unwrap();
    // In a child: the timer would interrupt the other tests too.
    Child::fork(|| {
        // SAFETY: all-zero is a valid `sigaction`.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = count_in_handler as *const () as usize;
        // SAFETY: the handler only counts, which is safe in one.
        unsafe { libc::sigaction(libc::SIGALRM, &action, core::ptr::null_mut()) };
        let every = libc::timeval {
            tv_sec: 0,
            tv_usec: 20,
        };
        let timer = libc::itimerval {
            it_interval: every,
            it_value: every,
        };
        // SAFETY: `timer` is read.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, core::ptr::null_mut()) };
        let mut counted = 0;
        while INTERRUPTIONS.load(Ordering::Relaxed) < 5_000 {
            for _ in 0..1_000 {
                counter.inc();
            }
            counted += 1_000;
        }
        // SAFETY: a null timer value stops it.
        let stop: libc::itimerval = unsafe { core::mem::zeroed() };
        // SAFETY: `stop` is read.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &stop, core::ptr::null_mut()) };
        let handled = INTERRUPTIONS.load(Ordering::Relaxed);
        let expected = (counted + handled) as f64 + handled as f64 / 2.0;
        assert_eq!(counter.get(), Number::Float(expected));
    })
    .wait();
}

#[test]
fn threads_that_change_their_cpu_lose_nothing() {
    const EACH: u64 = 2_000_000;
    let directory = directory();
    let board = options().open(&at(directory.path())).unwrap();
    let counter = board.counter("c_total", "").register().unwrap();
    let cpus = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for thread in 0..2 * cpus {
            let counter = &counter;
            scope.spawn(move || {
                for n in 0..EACH {
                    if n % 5_000 == 0 {
                        // SAFETY: all-zero is an empty set.
                        let mut set: libc::cpu_set_t = unsafe { core::mem::zeroed() };
                        let cpu = (thread as u64 + n / 5_000) as usize % cpus;
                        // SAFETY: `cpu` is below the size of a set.
                        unsafe { libc::CPU_SET(cpu, &mut set) };
                        // SAFETY: the set is read. A CPU that we may not use is refused.
                        unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
                    }
                    counter.inc();
                }
            });
        }
    });
    assert_eq!(counter.get(), Number::Int(2 * cpus as u64 * EACH));
    if board.update_path() == UpdatePath::Rseq {
        assert!(board.stats().planes_ready > 0);
    }
}

#[test]
fn a_plane_that_has_no_memory_is_refused_and_nothing_is_lost() {
    const NAME: &str = "a_plane_that_has_no_memory_is_refused_and_nothing_is_lost";
    if !is_alone(NAME) {
        let output = run_alone(NAME, &[]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        print!("{text}");
        return;
    }
    let directory = directory();
    if let Err(error) = mount_small_tmpfs(directory.path()) {
        println!("skipped: a tmpfs of its own needs root and unshare ({error})");
        return;
    }
    let board = options().slots(4096).open(&at(directory.path())).unwrap();
    if board.update_path() != UpdatePath::Rseq {
        println!("skipped: no restartable sequences here, so no planes");
        return;
    }
    // Whatever the board has not reserved is taken.
    let filler = std::fs::File::create(directory.path().join("filler")).unwrap();
    let zeros = [0; 4096];
    while std::io::Write::write_all(&mut &filler, &zeros).is_ok() {}
    let counter = board.counter("c_total", "").register().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100_000).for_each(|_| counter.inc()));
        }
    });
    assert_eq!(counter.get(), Number::Int(400_000));
    let stats = board.stats();
    assert!(
        stats.planes_refused > 0 && stats.planes_ready == 0,
        "{stats:?}"
    );
    let faults = board.check();
    assert_eq!(faults.len(), stats.planes_refused as usize);
    assert!(faults[0].to_string().contains("no room"), "{faults:?}");
}

/// Mounts a tmpfs of 4 MiB at `at`, in a mount namespace of this thread alone.
fn mount_small_tmpfs(at: &Path) -> std::io::Result<()> {
    let done = |result: i32| match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    };
    let target = std::ffi::CString::new(at.as_os_str().as_encoded_bytes())?;
    // SAFETY: changes what this thread sees, and nothing else.
    done(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let none = core::ptr::null();
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: valid strings; nothing is mounted, mounts only stop to spread.
    done(unsafe { libc::mount(none, c"/".as_ptr(), none, private, none.cast()) })?;
    let tmpfs = c"tmpfs".as_ptr();
    // SAFETY: valid strings; mounts in this thread's namespace.
    done(unsafe { libc::mount(tmpfs, target.as_ptr(), tmpfs, 0, c"size=4m".as_ptr().cast()) })
}

#[test]
fn all_of_this_holds_on_the_shared_plane_too() {
    const NAME: &str = "all_of_this_holds_on_the_shared_plane_too";
    if std::env::var_os(MARK).is_some() {
        let board = Board::open(&Location::Private).unwrap();
        assert_eq!(board.update_path(), UpdatePath::Shared);
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .env(MARK, NAME)
        .env("TALLYBOARD_RSEQ", "off")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("7 passed"), "{text}");
}
