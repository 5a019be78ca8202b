//! A scrape of 100,000 counters as text, all values read anew.

use criterion::{Criterion, criterion_group, criterion_main};
use tallyboard::Reader;
use tallyboard_benches::{Bench, peers};
use tallyboard_exporter::encode::{Encoder, Style};

const SERIES: usize = 100_000;

fn encodings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode_100k_counters");
    group.sample_size(10);
    let bench = Bench::new(1 << 17);
    let _family = peers::on_board(&bench.board, SERIES);
    let mut reader = Reader::new(&bench.board);
    let mut encoder = Encoder::new(Style::PLAIN);
    let mut body = Vec::new();
    group.bench_function("tallyboard", |b| {
        b.iter(|| {
            peers::encode_board(&mut reader, &mut encoder, &mut body);
        });
    });
    let (registry, _family) = peers::in_prometheus(SERIES);
    group.bench_function("prometheus", |b| {
        b.iter(|| peers::encode_prometheus(&registry, &mut body));
    });
    group.finish();
}

criterion_group!(benches, encodings);
criterion_main!(benches);
