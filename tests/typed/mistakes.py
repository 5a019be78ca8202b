"""Mistakes that a type checker finds before the program runs: each line that ends in `# wrong`."""

import tallyboard as client

counter = client.Counter("a", "Help.")
gauge = client.Gauge("b", "Help.")
histogram = client.Histogram("c", "Help.")
summary = client.Summary("d", "Help.")
info = client.Info("e", "Help.")
enum = client.Enum("f", "Help.", states=["x"])

client.Counter("a")  # wrong
client.Counter("a", "Help.", 3)  # wrong
client.Counter("a", "Help.", registry="default")  # wrong
client.Counter("a", "Help.", buckets=[1])  # wrong
client.Gauge("a", "Help.", multiprocess_mode="median")  # wrong
client.Histogram("a", "Help.", buckets=3)  # wrong
client.Histogram("a", "Help.", buckets=[None])  # wrong
client.Enum("a", "Help.", states=[1])  # wrong
counter.inc("1")  # wrong
counter.inc(1, "trace")  # wrong
counter.inc(exemplar={"trace_id": 1})  # wrong
counter.dec()  # wrong
counter.set(1)  # wrong
counter.count_exceptions("ValueError")  # wrong
gauge.set()  # wrong
gauge.set("1")  # wrong
gauge.inc(1, {"trace_id": "x"})  # wrong
gauge.set_function(3)  # wrong
gauge.set_function(lambda: "3")  # wrong
gauge.observe(1)  # wrong
histogram.observe("1")  # wrong
histogram.observe()  # wrong
summary.observe(1, {"trace_id": "x"})  # wrong
info.info("1.2.3")  # wrong
info.info({"version": 1})  # wrong
enum.state(1)  # wrong
counter.remove_by_labels(["a"])  # wrong
client.CollectorRegistry(target_info="live")  # wrong
client.REGISTRY.get_sample_value("a", "b")  # wrong
client.generate_latest("a")  # wrong
client.start_http_server("8000")  # wrong
client.write_to_textfile(1, client.REGISTRY)  # wrong
client.push_to_gateway("gateway", client.REGISTRY)  # wrong
