"""The messages of `io.prometheus.client`, for Google's implementation of Protocol buffers."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# Of each message the fields: name, number, type; `*` is a list, and a type with a capital is a message.
MESSAGES = {
    "Timestamp": "seconds 1 int64, nanos 2 int32",
    "LabelPair": "name 1 string, value 2 string",
    "Exemplar": "label 1 *LabelPair, value 2 double, timestamp 3 Timestamp",
    "Gauge": "value 1 double",
    "Counter": "value 1 double, exemplar 2 Exemplar, created 3 Timestamp",
    "Summary": "count 1 uint64, sum 2 double, created 4 Timestamp",
    "Bucket": "cumulative 1 uint64, bound 2 double, exemplar 3 Exemplar",
    "Span": "offset 1 sint32, length 2 uint32",
    "Histogram": "count 1 uint64, sum 2 double, bucket 3 *Bucket, schema 5 sint32, zero_threshold 6 double, "
    "zero_count 7 uint64, negative_span 9 *Span, negative_delta 10 *sint64, positive_span 12 *Span, "
    "positive_delta 13 *sint64, created 15 Timestamp, exemplar 16 *Exemplar",
    "Metric": "label 1 *LabelPair, gauge 2 Gauge, counter 3 Counter, summary 4 Summary, timestamp 6 int64, "
    "histogram 7 Histogram",
    "Family": "name 1 string, help 2 string, type 3 int32, metric 4 *Metric, unit 5 string",
}
TYPES = {0: "counter", 1: "gauge", 2: "summary", 4: "histogram"}
PACKAGE = "oracle"


def _message_class(name: str) -> Any:
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="oracle.proto", package=PACKAGE, syntax="proto2")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for told in fields.split(", "):
            field, number, kind = told.split(" ")
            label = field_type.LABEL_REPEATED if kind.startswith("*") else field_type.LABEL_OPTIONAL
            kind = kind.lstrip("*")
            added = described.field.add(name=field, number=int(number), label=label)
            if kind[0].isupper():
                added.type, added.type_name = field_type.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                added.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


Family = _message_class("Family")
"""The one message that a body consists of."""
