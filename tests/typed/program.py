"""Uses all of the public interface, as a program that is type-checked does. It runs, too."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from wsgiref.simple_server import make_server

import tallyboard as client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

registry: client.CollectorRegistry = client.CollectorRegistry(auto_describe=True, target_info={"env": "test"})

# Declarations, in every form of the arguments.
requests: client.Counter = client.Counter("http_requests_total", "Requests.", ["method", "code"])
failures = client.Counter("failures", "Failures.", namespace="app", subsystem="job", unit="", registry=registry)
level = client.Gauge("level", "Level.", multiprocess_mode="livesum")
levels = client.Gauge("levels", "Levels.", labelnames=("tank",), unit="liters", registry=None)
size = client.Summary("size_bytes", "Size.", ("kind",), "app", "http", registry=registry)
seconds = client.Histogram("seconds", "Time.", buckets=(0.1, 1, float("inf")))
texts = client.Histogram("texts", "Text.", ["a"], buckets=["0.5", 1, "+Inf"], registry=registry)
build = client.Info("build", "Build.", registry=registry)
task = client.Enum("task", "Task.", states=["starting", "running"])

# Updates.
requests.labels("GET", 200).inc()
requests.labels(method="GET", code=200).inc(2, {"trace_id": "abc"})
requests.labels("GET", "200").inc(amount=1.5, exemplar={"trace_id": "abc"})
failures.inc()
failures.reset()
level.inc()
level.inc(2.5)
level.dec()
level.dec(amount=1)
level.set(7)
level.set_to_current_time()
levels.labels("a").set_function(lambda: 3.5)
size.labels(kind="json").observe(512)
seconds.observe(0.25)
seconds.observe(4.7, {"trace_id": "abc"})
seconds.observe(amount=4.7, exemplar=None)
texts.labels("x").observe(1)
build.info({"version": "1.2.3"})
task.state("running")
child: client.Counter = requests.labels("PUT", 500)
requests.remove("PUT", 500)
requests.remove_by_labels({"code": "500"})
requests.clear()

# Blocks.
with seconds.time():
    pass
with size.labels("text").time() as timer:
    pass
with size.time() as chosen_later:
    chosen_later.labels(kind="html")
with level.track_inprogress(), level.time():
    pass
with failures.count_exceptions():
    pass
with failures.count_exceptions(ValueError), failures.count_exceptions((KeyError, OSError)):
    pass


# Functions: a decorated one has the type that it had.
@seconds.time()
def length(text: str, *, twice: bool = False) -> int:
    return len(text) * (2 if twice else 1)


@failures.count_exceptions(KeyError)
@level.track_inprogress()
def double(value: float) -> float:
    return value * 2


@seconds.time()
@level.track_inprogress()
@failures.count_exceptions()
async def fetch(url: str) -> bytes:
    return url.encode()


class Page:
    @seconds.time()
    def render(self, title: str) -> str:
        return title.title()


total: int = length("four") + length("four", twice=True)
twice: float = double(2)
fetched: bytes = asyncio.run(fetch("here"))
rendered: str = Page().render("page")


# Registries and collectors.
class Weather(Collector):
    def collect(self) -> Iterator[client.Metric]:
        yield GaugeMetricFamily("degrees", "Help.", value=21)
        rain = CounterMetricFamily("rain", "Help.", labels=["town"])
        rain.add_metric(["Ulm"], 1.5)
        yield rain


weather = Weather()
registry.register(weather)
registry.unregister(weather)
registry.register(levels)
names: list[str] = [metric.name for metric in registry.collect()]
value: float | None = registry.get_sample_value("app_job_failures_total")
labelled: float | None = client.REGISTRY.get_sample_value("http_requests_total", {"method": "GET", "code": "200"})
text: bytes = client.generate_latest(registry.restricted_registry(["degrees"]))
everything: bytes = client.generate_latest()
registry.set_target_info({"env": "live"})
info: dict[str, str] | None = registry.get_target_info()
registry.set_target_info(None)
described: list[str] = [metric.type for metric in level.describe()]
shown: list[float] = [sample.value for metric in level.collect() for sample in metric.samples]
client.disable_created_metrics()
client.enable_created_metrics()
process = client.ProcessCollector(namespace="own", pid=os.getpid, registry=None)
client.PlatformCollector(registry=None)
client.REGISTRY.unregister(client.GC_COLLECTOR)
client.REGISTRY.unregister(client.PLATFORM_COLLECTOR)
client.REGISTRY.unregister(client.PROCESS_COLLECTOR)

# To others.
server, thread = client.start_http_server(0, addr="127.0.0.1", registry=registry)
server.shutdown()
server.server_close()
thread.join()
make_server("127.0.0.1", 0, client.make_wsgi_app(registry, disable_compression=True)).server_close()
asgi = client.make_asgi_app()
handler: type = client.MetricsHandler.factory(registry)
content_types: list[str] = [client.CONTENT_TYPE_LATEST, client.CONTENT_TYPE_PLAIN_0_0_4]
with tempfile.TemporaryDirectory() as folder:
    client.write_to_textfile(os.path.join(folder, "job.prom"), registry)
gateway = "127.0.0.1:1"
try:
    client.push_to_gateway(gateway, job="job", registry=registry, grouping_key={"a": 1}, timeout=1)
    client.pushadd_to_gateway(gateway, "job", registry, client.instance_ip_grouping_key())
    client.delete_from_gateway(gateway, job="job", timeout=None)
except OSError:
    # Nobody listens there.
    pass
