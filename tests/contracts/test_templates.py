"""The templates promise what the code needs, and grant no more than it does. Every failure names what is wrong."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from contracts.house import ROOT, pascal
from contracts.templates import RESOURCES, TEMPLATES, allowed, environment, functions, grants, of_type, text
from machines.definition import definitions, snake

from infra.deploy.changes import LOST
from infra.deploy.package import STACKS
from tasks.core.entrypoint import parts
from tasks.core.settings import Settings

FUNCTIONS = functions()
SETTINGS = {row.name.upper(): row for row in fields(Settings)}
# Only the endpoints need to know CloudFront's secret.
UNSET: dict[str, set[str]] = {"edge": set(), "pipeline": {"ORIGIN_SECRET"}}
DERIVED = {"SITE_URL_PARAMETER", "MACHINE_NAME"}
# Services without resources to name, and what the condition beside them narrows.
ANYWHERE = {
    "states:SendTaskSuccess",  # the task token names the one task that it may answer; the emulator sees no machine behind it
    "rekognition:DetectLabels",
    "rekognition:DetectModerationLabels",
    "ses:SendRawEmail",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}
# What a module asks for by annotation, and the rights that it then has; without the annotation it has none of them.
RIGHTS = {
    "Store": "s3:",
    "Catalog": "dynamodb:",
    "Reviews": "dynamodb:",
    "Links": "dynamodb:",
    "Machine": "states:",
    "Mailer": "ses:",
    "Eye": "rekognition:",
    "Edge": "ssm:",
}


@pytest.mark.parametrize("template", UNSET)
def test_functions_are_told_exactly_the_settings(template: str) -> None:
    told = TEMPLATES[template]["Globals"]["Function"]["Environment"]["Variables"].keys()
    assert set(told) == SETTINGS.keys() - UNSET[template]


@pytest.mark.parametrize("template", UNSET)
def test_a_setting_and_its_parameter_bear_one_name_and_one_default(template: str) -> None:
    declared = TEMPLATES[template]["Parameters"]
    variables = TEMPLATES[template]["Globals"]["Function"]["Environment"]["Variables"]
    for name in variables.keys() - DERIVED:
        parameter = pascal(name.lower())
        assert variables[name] == {"Ref": parameter}, f"{template}.yaml: {name} should be !Ref {parameter}"
        default = SETTINGS[name].default
        if "Default" in declared[parameter]:
            assert str(declared[parameter]["Default"]) == str(default), f"{template}.yaml: {parameter} has another default"


def test_no_function_has_settings_of_its_own() -> None:
    own = [
        name
        for template in TEMPLATES.values()
        for name, row in template["Resources"].items()
        if "Environment" in row.get("Properties", {})
    ]
    assert own == []


@pytest.mark.parametrize("stack", STACKS)
def test_what_a_stack_must_be_told_an_earlier_one_says(stack: str) -> None:
    earlier = STACKS[: STACKS.index(stack)]
    said = {name for one in earlier for name in TEMPLATES[one].get("Outputs", {})}
    asked = {name for name, rule in TEMPLATES[stack]["Parameters"].items() if "Default" not in rule}
    assert asked - said <= {"OriginSecret"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_iam_permissions_for_what_its_module_asks_for_and_nothing_else(name: str) -> None:
    module = importlib.import_module(f"tasks.{snake(name)}")
    asked = {RIGHTS[kind.__name__] for kind in parts(module.handler.task)[1].values() if kind.__name__ in RIGHTS}
    rights = {f"{grant.action.split(':')[0]}:" for grant in grants() if grant.holder == name}
    # Queues are polled for it, and tags and presigned posts are Store's.
    missing, surplus = asked - rights, rights - asked - {"sqs:"}
    assert not missing, f"{name}Function lacks {missing} in its policy"
    assert not surplus, f"{name}Function may {surplus}, which tasks/{snake(name)}.py does not use"


def test_no_iam_permission_has_a_wildcard_for_an_action() -> None:
    assert [str(grant) for grant in grants() if grant.effect == "Allow" and "*" in grant.action] == []


def test_every_iam_permission_names_its_resources() -> None:
    assert [str(grant) for grant in grants() if grant.resource == "*" and grant.action not in ANYWHERE] == []


def test_no_policy_is_managed_by_somebody_else() -> None:
    """Those of AWS allow more every year."""
    assert [name for name, row in FUNCTIONS.items() for policy in row["Policies"] if isinstance(policy, str)] == []


@pytest.mark.parametrize(
    ("action", "bucket", "who"),
    [
        ("s3:PutObject", "InboxBucket", {"PresignUpload"}),
        ("s3:PutObject", "SiteBucket", {"Publish", "RebuildIndexes"}),
        ("s3:PutObject", "AuditBucket", {"ArchiveHistory"}),
        ("s3:DeleteObject", "WorkBucket", {"Discard", "Expire", "Quarantine"}),
        ("s3:DeleteObject", "InboxBucket", set()),
        ("s3:DeleteObjectVersion", "", set()),
        ("s3:BypassGovernanceRetention", "", set()),
        ("s3:PutObjectAcl", "", set()),
        ("states:SendTaskSuccess", "", {"Review", "Sweep", "RequestApproval"}),
        ("states:StartExecution", "", {"ReceiveUpload", "Sweep", "MarkDuplicate", "Quarantine"}),
        ("states:GetExecutionHistory", "", {"ArchiveHistory"}),
        ("ses:SendRawEmail", "", {"RequestApproval", "MarkFailed", "Sweep"}),
        ("rekognition:DetectLabels", "", {"Recognize"}),
        ("cloudfront:CreateInvalidation", "", set()),
        ("dynamodb:Scan", "", set()),
        ("dynamodb:ConditionCheckItem", "", {"RequestApproval", "Review", "JoinPicture"}),
    ],
)
def test_only_these_have_the_iam_permission(action: str, bucket: str, who: set[str]) -> None:
    assert allowed(action, bucket) == who


def test_visitors_cannot_read_originals() -> None:
    readers = allowed("s3:GetObject", "InboxBucket") | allowed("s3:GetObjectVersion", "InboxBucket")
    assert not readers & {"PresignUpload", "Review", "Search", "Publish", "SitePolicy"}


def test_search_reads_only_what_is_published() -> None:
    statement = FUNCTIONS["Search"]["Policies"][0]["Statement"][0]
    assert statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] == ["albums", "album#*", "labels", "label#*"]


@pytest.mark.parametrize(
    ("name", "table", "lists"),
    [
        ("MarkFailed", "ReviewsTable", ["approvers"]),
        ("Sweep", "ReviewsTable", ["approvers"]),
        ("Sweep", "CatalogTable", ["unreadable"]),
        ("RequestApproval", "ReviewsTable", ["approvers"]),
    ],
)
def test_these_may_list_who_decides_and_hardly_more(name: str, table: str, lists: list[str]) -> None:
    statements = [row for policy in FUNCTIONS[name]["Policies"] for row in policy["Statement"]]
    listing = [row for row in statements if "dynamodb:Query" in row["Action"] and "/index/" not in text(row["Resource"])]
    named = [row for row in listing if "${" + table + "}" in text(row["Resource"])]
    assert [row["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for row in named] == [lists]


# Who may write a review, a decision, a link or an approver can decide. Nobody else's role names the table.
REVIEWERS = {
    "dynamodb:GetItem": {"Review", "RequestApproval", "Expire", "Sweep", "JoinPicture", "Publish", "ArchiveHistory"},
    "dynamodb:BatchGetItem": {"Review", "RequestApproval", "Sweep"},
    "dynamodb:Query": {"RequestApproval", "Sweep", "MarkFailed", "ArchiveHistory"},
    "dynamodb:PutItem": {"Review", "RequestApproval", "Expire"},
    "dynamodb:UpdateItem": {"Review", "RequestApproval", "Expire", "Sweep", "JoinPicture"},
    "dynamodb:ConditionCheckItem": {"Review", "JoinPicture"},
}


def test_the_reviews_table_is_named_by_these_roles_for_these_actions() -> None:
    named: dict[str, set[str]] = {}
    for grant in grants():
        if "ReviewsTable" in grant.resource or "Reviews.Arn" in grant.resource:
            named.setdefault(grant.action, set()).add(grant.holder)
    assert named == REVIEWERS


def test_no_role_reaches_the_reviews_table_by_another_name() -> None:
    """A star for the table's name would."""
    tables = {grant.resource.partition(":table/")[2] for grant in grants() if grant.action.startswith("dynamodb:")}
    assert tables == {"${CatalogTable}", "${CatalogTable}/index/by-status", "${ReviewsTable}"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [("Review", ["item#*", "link#*", "session#*"]), ("RequestApproval", ["item#*"]), ("Expire", ["item#*"])],
)
def test_where_an_earlier_version_had_reviews_is_all_that_these_may_put_into_the_catalog(name: str, keys: list[str]) -> None:
    statements = [row for policy in FUNCTIONS[name]["Policies"] for row in policy["Statement"]]
    putting = [row for row in statements if "dynamodb:PutItem" in row["Action"] and "${CatalogTable}" in text(row["Resource"])]
    assert [row["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for row in putting] == [keys]


def test_writing_what_was_prepared_stays_under_its_items() -> None:
    loose = [
        grant for grant in grants() if grant.on("WorkBucket") and grant.action != "s3:ListBucket" and grant.effect == "Allow"
    ]
    assert [str(grant) for grant in loose if not grant.resource.endswith("${WorkBucket}/items/*")] == []


def test_the_machine_has_the_iam_permission_to_call_exactly_what_it_calls() -> None:
    called = {f"{name}Function.Arn" for machine in definitions() for name in machine.functions.values()}
    assert {g.resource for g in grants() if g.holder == "IngestRole" and g.action == "lambda:InvokeFunction"} == called


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_and_kept(name: str) -> None:
    bucket, properties = RESOURCES[name], RESOURCES[name]["Properties"]
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"], f"{name} is not encrypted"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, f"{name} could be made public"
    assert len(properties["PublicAccessBlockConfiguration"]) == 4, f"{name} could be made public"
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain", f"{name} would go with its stack"
    days = [rule.get("AbortIncompleteMultipartUpload") for rule in properties["LifecycleConfiguration"]["Rules"]]
    assert any(days), f"{name} keeps the parts of abandoned uploads"


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_refuses_plain_http(name: str) -> None:
    policies = [row for row in of_type("AWS::S3::BucketPolicy").values() if text(row["Bucket"]) in (name, f"{name}Bucket")]
    assert policies and "aws:SecureTransport" in str(policies[0]["PolicyDocument"]), f"{name} answers plain HTTP"


def test_by_the_lifecycle_what_was_rejected_goes_after_the_retention_time_and_nothing_else_does() -> None:
    rules = {rule["Id"]: rule for rule in RESOURCES["Inbox"]["Properties"]["LifecycleConfiguration"]["Rules"]}
    tagged = rules["quarantined"]
    assert tagged["TagFilters"] == [{"Key": "greenroom", "Value": "quarantined"}]
    assert tagged["ExpirationInDays"] == tagged["NoncurrentVersionExpiration"]["NoncurrentDays"] == {"Ref": "RetentionDays"}
    assert [name for name, rule in rules.items() if "ExpirationInDays" in rule] == ["quarantined"]


def test_the_audit_cannot_be_rewritten() -> None:
    audit = RESOURCES["Audit"]["Properties"]
    assert audit["VersioningConfiguration"]["Status"] == "Enabled"
    assert audit["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == "GOVERNANCE"


@pytest.mark.parametrize("name", of_type("AWS::DynamoDB::Table"))
def test_a_table_can_be_brought_back(name: str) -> None:
    table = RESOURCES[name]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", f"{name} would go with its stack"
    assert table["Properties"]["DeletionProtectionEnabled"], f"{name} could be deleted"
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_an_identity_that_somebody_confirmed_is_kept() -> None:
    """Without it nobody is asked, and only a person can confirm it again."""
    assert RESOURCES["MailSender"]["DeletionPolicy"] == RESOURCES["MailSender"]["UpdateReplacePolicy"] == "Retain"


def test_whatever_is_kept_is_said_when_it_goes() -> None:
    kept = {row["Type"] for row in RESOURCES.values() if row.get("DeletionPolicy") == "Retain"}
    assert kept - LOST.keys() == set()


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_a_queue_has_a_dead_letter_queue_or_is_one(name: str) -> None:
    everything = str([row.get("Properties", {}) for row in RESOURCES.values()])
    is_one = f"'deadLetterTargetArn': {{'Fn::GetAtt': ['{name}', 'Arn']}}" in everything or name == "EventsDeadLetters"
    assert is_one or "RedrivePolicy" in RESOURCES[name]["Properties"], f"{name} loses what its consumer fails on"
    assert RESOURCES[name]["Properties"]["SqsManagedSseEnabled"] is True, f"{name} is not encrypted"


def _targets() -> dict[str, dict[str, Any]]:
    """Every rule's targets, those of the functions' own events too."""
    found = {name: row["Targets"][0] for name, row in of_type("AWS::Events::Rule").items()}
    for name, properties in FUNCTIONS.items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "EventBridgeRule":
                found[name] = event["Properties"]
    return found


@pytest.mark.parametrize("name", _targets())
def test_an_eventbridge_event_that_reaches_nobody_is_kept_as_a_dead_letter(name: str) -> None:
    target = _targets()[name]
    assert text(target["DeadLetterConfig"]["Arn"]) == "EventsDeadLetters.Arn", f"{name} drops events after a day"
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86_400


@pytest.mark.parametrize("name", [name for name in _targets() if name in FUNCTIONS])
def test_an_event_that_its_function_fails_on_is_kept_as_a_dead_letter(name: str) -> None:
    kept = FUNCTIONS[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
    assert text(kept) == "EventsDeadLetters.Arn"


@pytest.mark.parametrize("name", of_type("AWS::Lambda::EventSourceMapping"))
def test_a_message_stays_hidden_while_its_consumer_works(name: str) -> None:
    mapping = RESOURCES[name]["Properties"]
    queue = RESOURCES[text(mapping["EventSourceArn"]).removesuffix(".Arn")]["Properties"]
    consumer = FUNCTIONS[text(mapping["FunctionName"]).removesuffix("Function")]
    window = (
        TEMPLATES["pipeline"]["Parameters"]["DigestSeconds"]["MaxValue"] if "MaximumBatchingWindowInSeconds" in mapping else 0
    )
    assert queue["VisibilityTimeout"] >= 6 * consumer["Timeout"] + window
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumConcurrency" in mapping["ScalingConfig"]


@pytest.mark.parametrize("machine", definitions(), ids=lambda machine: machine.name)
def test_a_function_ends_before_its_state_gives_up(machine: Any) -> None:
    late = {
        state: FUNCTIONS[function]["Timeout"]
        for state, function in machine.functions.items()
        if FUNCTIONS[function]["Timeout"] >= machine.tasks[state].get("TimeoutSeconds", 0)
    }
    assert late == {}


def test_ffmpeg_is_only_where_it_runs() -> None:
    artifacts = {name: properties["CodeUri"].rsplit("/", 1)[-1] for name, properties in FUNCTIONS.items()}
    assert {name for name, kind in artifacts.items() if kind == "video"} == {
        "DrawWaveform",
        "PlanVideo",
        "TranscodeSegment",
        "JoinVideo",
    }


def test_nothing_is_logged_for_ever_or_with_a_token() -> None:
    assert [name for name, row in of_type("AWS::Logs::LogGroup").items() if "RetentionInDays" not in row] == []
    assert RESOURCES["Ingest"]["Properties"]["Logging"]["IncludeExecutionData"] is False


def test_endpoints_answer_only_cloudfront() -> None:
    origins = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    told = {origin["Id"]: origin.get("OriginCustomHeaders", []) for origin in origins if "CustomOriginConfig" in origin}
    secret = {"HeaderName": "x-greenroom-origin", "HeaderValue": {"Ref": "OriginSecret"}}
    assert [name for name, headers in told.items() if headers != [secret]] == []
    assert environment(FUNCTIONS["Review"])["ORIGIN_SECRET"] == {"Ref": "OriginSecret"}
    assert len(told) == len([name for name, row in FUNCTIONS.items() if "FunctionUrlConfig" in row])


def test_cfn_lint_finds_nothing() -> None:
    templates = [str(path) for path in sorted((ROOT / "infra" / "templates").glob("*.yaml"))]
    program = str(Path(sys.executable).parent / "cfn-lint")
    done = subprocess.run([program, *templates], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
