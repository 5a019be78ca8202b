//! From label values to a handle, for a series that exists.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use tallyboard_benches::{Bench, peers};

fn lookups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup");
    let bench = Bench::new(4096);
    let ours = peers::on_board(&bench.board, 1000);
    let (_, theirs) = peers::in_prometheus(1000);
    let values = peers::values(500);
    let values = values.each_ref().map(String::as_str);
    group.bench_function("tallyboard", |b| b.iter(|| ours.with(black_box(&values))));
    group.bench_function("prometheus", |b| {
        b.iter(|| theirs.with_label_values(black_box(&values)));
    });
    group.finish();
}

criterion_group!(benches, lookups);
criterion_main!(benches);
