"""The operator: who hears of what Greenroom cannot mend by itself."""

from __future__ import annotations

from tasks.catalog import Catalog
from tasks.core.aws.ses import Mailer
from tasks.core.logs import log
from tasks.core.settings import Settings
from tasks.mail.notice import notice


def tell_operator(subject: str, body: str, catalog: Catalog, mailer: Mailer, settings: Settings) -> None:
    """Mail the operator, else whoever is the first approver now; where there is neither, the log has to do."""
    recipient = settings.operator or next((approver.address for approver in catalog.approvers.all()), "")
    if recipient and settings.mail_from:
        mailer.send(settings.mail_from, recipient, notice(settings.mail_from, recipient, subject, body))
    else:
        log.warning("nobody to tell: set OPERATOR and MAIL_FROM", extra={"subject": subject})
