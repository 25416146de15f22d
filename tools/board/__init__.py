"""The virtual board: a process that runs the board's files, a supervisor that is its power, and the way to steer it."""

from tools.board.steering import Steering, SteeringError

__all__ = ["Steering", "SteeringError"]
