"""Visit times: days of the year, weeks, and hours by device."""

import numpy as np

START = 1_704_067_200
"""2024-01-01 00:00 UTC, a Monday."""
YEAR_DAYS = 366
WEEKS = 53
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = tuple(f"{hour:02}" for hour in range(24))
DEVICES = ("desktop", "mobile", "tablet")
CONTEXT_WEIGHT = 0.3
"""What liking multiplies the effects of month, hour, device and city by."""
MONTHS = np.repeat(np.arange(12), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
"""The month of each day."""

_BY_MONTH = np.array([1.15, 1.05, 1.02, 1.0, 1.0, 0.93, 0.9, 0.92, 0.95, 0.95, 1.0, 0.92])
_BY_WEEKDAY = np.array([1.05, 1.0, 1.0, 0.98, 0.92, 0.95, 1.1])
_BY_HOUR = np.array(
    [  # desktop: the working day; mobile: commuting and the evening; tablet: the evening
        [12, 6, 4, 3, 3, 5, 12, 30, 60, 85, 95, 98, 90, 92, 95, 92, 88, 80, 72, 75, 80, 72, 48, 25],
        [25, 12, 6, 4, 4, 8, 25, 55, 60, 52, 50, 55, 65, 62, 55, 55, 60, 70, 80, 92, 100, 98, 80, 50],
        [20, 8, 4, 3, 3, 5, 15, 35, 45, 45, 45, 45, 48, 48, 48, 48, 52, 60, 75, 95, 110, 105, 75, 40],
    ],
    float,
)


def day_weights() -> np.ndarray:
    """Return float64 (days,): the relative number of visits on each day."""
    return _BY_MONTH[MONTHS] * _BY_WEEKDAY[np.arange(YEAR_DAYS) % 7]


def hour_weights() -> np.ndarray:
    """Return float64 (devices, 24): the relative number of visits by each device in each hour."""
    return _BY_HOUR / _BY_HOUR.sum(1, keepdims=True)
