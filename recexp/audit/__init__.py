"""The leakage audit: does train hold what the test asks for?"""

from recexp.audit.policy import Audit
from recexp.audit.report import AuditReport

__all__ = ["Audit", "AuditReport"]
