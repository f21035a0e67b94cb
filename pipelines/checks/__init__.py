"""Checks between tables: what must hold of all of them together before anything is published.

What must hold within a row or a key stands in the schemas and is checked whenever a slice is built.
"""

from pipelines.checks.activity import ACTIVITY_CHECKS
from pipelines.checks.campaigns import CAMPAIGNS_CHECKS
from pipelines.checks.channels import CHANNELS_CHECKS
from pipelines.checks.check import Check as Check
from pipelines.checks.check import Tables as Tables
from pipelines.checks.check import broken as broken
from pipelines.checks.ledger import LEDGER_CHECKS
from pipelines.checks.product import PRODUCT_CHECKS
from pipelines.checks.profiles import PROFILES_CHECKS
from pipelines.checks.revenue import REVENUE_CHECKS
from pipelines.checks.sessions import SESSIONS_CHECKS

CHECKS = (
    *LEDGER_CHECKS,
    *ACTIVITY_CHECKS,
    *PRODUCT_CHECKS,
    *REVENUE_CHECKS,
    *SESSIONS_CHECKS,
    *CHANNELS_CHECKS,
    *CAMPAIGNS_CHECKS,
    *PROFILES_CHECKS,
)
