"""What a program calls in a loop: the accelerator's classes, or those that use ctypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import backend

if TYPE_CHECKING or backend.native is None:
    from .by_ctypes import CounterCore, GaugeCore, HistogramCore, MetricCore, SummaryCore
else:
    CounterCore = backend.native.CounterCore
    GaugeCore = backend.native.GaugeCore
    HistogramCore = backend.native.HistogramCore
    MetricCore = backend.native.MetricCore
    SummaryCore = backend.native.SummaryCore

__all__ = ["CounterCore", "GaugeCore", "HistogramCore", "MetricCore", "SummaryCore"]
