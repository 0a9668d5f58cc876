"""Several processes as one trainer, started by `torchrun`: each takes its part of the batches, and the
gradients are averaged. Alone, every function here leaves its argument as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[None]:
    """Inside, the processes that `torchrun` started form one group."""
    if not dist.is_torchelastic_launched():
        yield
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 when alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def device() -> torch.device:
    """The GPU of this process where there is one."""
    if torch.cuda.is_available():
        return torch.device("cuda", dist.get_node_local_rank(fallback_rank=0))
    return torch.device("cpu")


def mean(value: float) -> float:
    """Mean of a number over the processes."""
    return _reduced(value, dist.ReduceOp.SUM) / world_size()


def largest(value: float) -> float:
    """Largest of a number over the processes, so that all take the same turn."""
    return _reduced(value, dist.ReduceOp.MAX)


def _reduced(value: float, how: dist.ReduceOp.RedOpType) -> float:
    if world_size() == 1:
        return value
    number = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(number, how)
    return float(number)


def total(counts: Tensor) -> Tensor:
    """Sum of a tensor over the processes."""
    if world_size() > 1:
        dist.all_reduce(counts)
    return counts


def from_first(value: T) -> T:
    """What the first process has, for all of them."""
    if world_size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def barrier() -> None:
    """Waits for the others."""
    if world_size() > 1:
        dist.barrier()


def average_gradients(dense: list[nn.Parameter], sparse: Iterable[nn.Parameter]) -> None:
    """Replaces gradients by their mean over the processes: dense ones in one message, sparse ones by table."""
    if world_size() == 1:
        return
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in dense]
    message = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(message)
    parts = (message / world_size()).split([grad.numel() for grad in grads])
    for parameter, grad, part in zip(dense, grads, parts, strict=True):
        parameter.grad = part.view_as(grad)
    for table in sparse:
        table.grad = _sparse_mean(table)


def _sparse_mean(table: nn.Parameter) -> Tensor:
    grad = table.grad
    if grad is None:
        grad = torch.sparse_coo_tensor(torch.zeros(1, 0, dtype=torch.long), torch.zeros(0, table.shape[1]), table.shape)
    grad = grad.coalesce()
    dist.all_reduce(grad)
    return grad / world_size()
