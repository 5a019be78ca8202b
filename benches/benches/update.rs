//! One update of each type of metric, beside its peers.

use criterion::{Criterion, criterion_main};
use metrics::Recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::metrics as client;
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tallyboard::Native;
use tallyboard::buckets::DEFAULT;
use tallyboard_benches::Bench;
use tallyboard_benches::second::{self, Second, VALUES};

fn main_benches() {
    second::be_second();
    let mut criterion = Criterion::default().configure_from_args();
    counters(&mut criterion);
    gauges(&mut criterion);
    observations(&mut criterion);
    two_processes(&mut criterion);
    criterion.final_summary();
}
criterion_main!(main_benches);

fn metadata() -> metrics::Metadata<'static> {
    metrics::Metadata::new(module_path!(), metrics::Level::INFO, None)
}

fn counters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("counter_inc");
    let plain = Cell::new(0_u64);
    group.bench_function("plain add", |b| {
        b.iter(|| black_box(&plain).set(black_box(&plain).get() + 1));
    });
    let atomic = AtomicU64::new(0);
    group.bench_function("fetch_add", |b| {
        b.iter(|| black_box(&atomic).fetch_add(1, Ordering::Relaxed));
    });
    let bench = Bench::new(64);
    let counter = bench.board.counter("c_total", "").register().expect("room");
    group.bench_function("tallyboard", |b| b.iter(|| black_box(&counter).inc()));
    let theirs = prometheus::IntCounter::new("c_total", "help").expect("a valid name");
    group.bench_function("prometheus", |b| b.iter(|| black_box(&theirs).inc()));
    let theirs: client::counter::Counter = client::counter::Counter::default();
    group.bench_function("prometheus-client", |b| b.iter(|| black_box(&theirs).inc()));
    let recorder = PrometheusBuilder::new().build_recorder();
    let theirs = recorder.register_counter(&metrics::Key::from_name("c_total"), &metadata());
    group.bench_function("metrics-exporter-prometheus", |b| {
        b.iter(|| black_box(&theirs).increment(1));
    });
    group.finish();
}

fn gauges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gauge_set");
    let bench = Bench::new(64);
    let gauge = bench.board.gauge("g", "").register().expect("room");
    group.bench_function("tallyboard", |b| {
        b.iter(|| black_box(&gauge).set(black_box(1.5)))
    });
    let theirs = prometheus::Gauge::new("g", "help").expect("a valid name");
    group.bench_function("prometheus", |b| {
        b.iter(|| black_box(&theirs).set(black_box(1.5)))
    });
    let theirs = client::gauge::Gauge::<f64, AtomicU64>::default();
    group.bench_function("prometheus-client", |b| {
        b.iter(|| black_box(&theirs).set(black_box(1.5)));
    });
    let recorder = PrometheusBuilder::new().build_recorder();
    let theirs = recorder.register_gauge(&metrics::Key::from_name("g"), &metadata());
    group.bench_function("metrics-exporter-prometheus", |b| {
        b.iter(|| black_box(&theirs).set(black_box(1.5)));
    });
    group.finish();
}

/// What to observe, one after the other.
fn values() -> impl FnMut() -> f64 {
    let mut turn = 0;
    move || {
        turn = (turn + 1) % VALUES.len();
        VALUES[turn]
    }
}

fn observations(criterion: &mut Criterion) {
    let mut next = values();
    let mut group = criterion.benchmark_group("histogram_observe");
    let bench = Bench::new(128);
    let histogram = bench.board.histogram("h", "").register().expect("room");
    group.bench_function("tallyboard", |b| {
        b.iter(|| black_box(&histogram).observe(next()))
    });
    let native = bench.board.histogram("n", "").native(Native::new());
    let native = native.register().expect("room");
    group.bench_function("tallyboard native", |b| {
        b.iter(|| black_box(&native).observe(next()))
    });
    let opts = prometheus::HistogramOpts::new("h", "help").buckets(DEFAULT.to_vec());
    let theirs = prometheus::Histogram::with_opts(opts).expect("valid buckets");
    group.bench_function("prometheus", |b| {
        b.iter(|| black_box(&theirs).observe(next()))
    });
    let theirs = client::histogram::Histogram::new(DEFAULT);
    group.bench_function("prometheus-client", |b| {
        b.iter(|| black_box(&theirs).observe(next()))
    });
    group.bench_function("metrics-exporter-prometheus", |b| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&DEFAULT)
            .expect("there are buckets")
            .build_recorder();
        let theirs = recorder.register_histogram(&metrics::Key::from_name("h"), &metadata());
        // It keeps each observation until somebody renders; as one who scrapes does, outside
        // of the time that is measured.
        b.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            let mut left = iterations;
            while left > 0 {
                let now = left.min(100_000);
                let started = Instant::now();
                for _ in 0..now {
                    black_box(&theirs).record(next());
                }
                spent += started.elapsed();
                recorder.handle().run_upkeep();
                left -= now;
            }
            spent
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("summary_observe");
    let summary = bench.board.summary("s", "").register().expect("room");
    group.bench_function("tallyboard", |b| {
        b.iter(|| black_box(&summary).observe(next()))
    });
    group.finish();
}

/// Each type while a second process updates the very same metric, and while none does.
fn two_processes(criterion: &mut Criterion) {
    let bench = Bench::new(64);
    let counter = second::counter(&bench.board);
    alone_and_beside_another(criterion, &bench, "counter", "counter_inc", || {
        black_box(&counter).inc();
    });
    let gauge = second::gauge(&bench.board);
    alone_and_beside_another(criterion, &bench, "gauge", "gauge_set", || {
        black_box(&gauge).set(black_box(1.5));
    });
    let mut next = values();
    let histogram = second::histogram(&bench.board);
    alone_and_beside_another(criterion, &bench, "histogram", "histogram_observe", || {
        black_box(&histogram).observe(next());
    });
    let mut next = values();
    let summary = second::summary(&bench.board);
    alone_and_beside_another(criterion, &bench, "summary", "summary_observe", || {
        black_box(&summary).observe(next());
    });
}

fn alone_and_beside_another(
    criterion: &mut Criterion,
    bench: &Bench,
    kind: &str,
    operation: &str,
    mut update: impl FnMut(),
) {
    let mut group = criterion.benchmark_group(format!("{operation}_two_processes"));
    group.bench_function("tallyboard alone", |b| b.iter(&mut update));
    let second = Second::start(&bench.path(), kind);
    group.bench_function("tallyboard beside another", |b| b.iter(&mut update));
    drop(second);
    group.finish();
}
