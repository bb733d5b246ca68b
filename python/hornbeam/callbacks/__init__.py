"""Callbacks."""

from hornbeam.callbacks.backup import BackupAndRestore
from hornbeam.callbacks.callback import Callback, CallbackList, History
from hornbeam.callbacks.checkpoint import CSVLogger, ModelCheckpoint
from hornbeam.callbacks.monitor import EarlyStopping, MonitorCallback, ReduceLROnPlateau
from hornbeam.callbacks.progress import ProgbarLogger
from hornbeam.callbacks.remote import RemoteMonitor
from hornbeam.callbacks.simple import (
    LambdaCallback,
    LearningRateScheduler,
    SwapEMAWeights,
    TerminateOnNaN,
)
from hornbeam.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
