"""The second calculator against the cases of the law, and the product against the second calculator."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from oracle.calculator import outcome
