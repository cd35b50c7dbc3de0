"""The operator: who is told, and what happens where nobody can be."""

from dataclasses import replace

from tasks.lifecycle.operator import tell_operator


def tell(world, **settings):
    tell_operator("Look here", "Something is odd.", world.catalog, world.mailer, replace(world.settings, **settings))


def test_without_an_operator_the_first_approver_is_told(world):
    world.catalog.approvers.begin(["bob@example.org", "ann@example.org"])
    world.catalog.approvers.remove("bob@example.org")  # was the first, and is nobody's business any more
    tell(world, operator="")
    assert "To: ann@example.org" in world.mails()[0]


def test_where_nobody_can_be_told_the_log_says_it(world, caplog):
    with caplog.at_level("WARNING"):
        tell(world, operator="")
        tell(world, mail_from="")
    assert world.mails() == []
    assert [(record.getMessage()[:15], record.subject) for record in caplog.records] == [("nobody to tell:", "Look here")] * 2
