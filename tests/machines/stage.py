"""Greenroom's AWS in this very process: moto's services, moto's interpreter, and the real task code called by it.

Each function has clients of its own, which refuse what its role in infra/templates does not allow.
Faults are thrown where Lambda would see them: `stage.break_task("Publish", ConnectionError("gone"))` lets its next call
fail with that error, and the machine's own Retry has to mend it.
"""

from __future__ import annotations

import importlib
import io
import json
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import moto.awslambda_simple.models as simple_lambda
from machines.definition import Definition, snake
from machines.engine import substituted
from moto import mock_aws
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from rights import RoleAws, calls
from serial_moto import serial_dynamodb

from tasks.catalog import Catalog
from tasks.core.aws.edge import Edge
from tasks.core.aws.rekognition import Eye
from tasks.core.aws.session import Aws
from tasks.core.entrypoint import Services, lambda_handler
from tasks.core.settings import Settings

MOTO = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
APPROVER, SENDER = "ann@example.org", "greenroom@example.org"
SETTINGS = Settings(
    inbox_bucket="greenroom-inbox",
    work_bucket="greenroom-work",
    site_bucket="greenroom-site",
    audit_bucket="greenroom-audit",
    catalog_table="greenroom-catalog",
    reviews_table="greenroom-reviews",
    site_url_parameter="/greenroom/site-url",
    machine_name="greenroom-ingest",
    operator="olga@example.org",
    mail_from=SENDER,
)
Handler = Callable[[Any, Any], Any]


class PaintedEye(Eye):
    """Rekognition as a test wants it: what it sees and what it finds fault with, in Rekognition's own answers."""

    def __init__(self) -> None:
        self.sees: list[dict[str, Any]] = [{"Name": "Cat", "Confidence": 98.7, "Parents": [{"Name": "Animal"}]}]
        self.objects_to: list[dict[str, Any]] = []

    def labels(self, image: bytes, confidence: int) -> dict[str, Any]:
        return {"Labels": self.sees, "LabelModelVersion": "3.0"}

    def moderation(self, image: bytes, confidence: int) -> dict[str, Any]:
        return {"ModerationLabels": self.objects_to, "ModerationModelVersion": "7.0"}


class QuietEdge(Edge):
    """CloudFront without a distribution: it only has an address."""

    def __init__(self) -> None: ...

    @property
    def site_url(self) -> str:  # type: ignore[override]
        return "https://gallery.example.org"


class Mended:
    """A kind of path that moto's special case for array members never meets."""


class StageServices(Services):
    """The real services over moto, but for the two that moto has not."""

    def __init__(self, settings: Settings, aws: Aws, eye: Eye, edge: Edge) -> None:
        super().__init__(settings, aws)
        self._opened.update({Eye: eye, Edge: edge})


class RoleServices(Services):
    """What one function opens: with clients of its own, which may do what its role may. A stand-in that a test put into the
    stage's services serves every function."""

    def __init__(self, stage: Stage, aws: RoleAws) -> None:
        super().__init__(stage.settings, aws)
        self._stage = stage
        self._role = aws

    def get(self, wanted: type) -> Any:
        standing_in = self._stage.services._opened.get(wanted)
        if standing_in is None or type(standing_in) is wanted or wanted is Settings:
            return super().get(wanted)
        return Overheard(standing_in, self._role) if wanted in (Eye, Edge) else standing_in


class Overheard:
    """A stand-in whose methods ask for the rights that the real ones would."""

    RIGHTS: ClassVar = {
        "labels": "rekognition:DetectLabels",
        "moderation": "rekognition:DetectModerationLabels",
        "site_url": "ssm:GetParameter",
        "invalidate": "cloudfront:CreateInvalidation",
    }

    def __init__(self, played: Any, role: RoleAws) -> None:
        self._played = played
        self._role = role

    def __getattr__(self, name: str) -> Any:
        service, operation = self.RIGHTS[name].split(":")
        named = {"Name": self._role.settings.site_url_parameter}
        for call in calls(service, operation, named):
            self._role.ask(call)
        return getattr(self._played, name)


class Stage:
    """Buckets, table, queue, functions and one state machine; made by `raised`."""

    def __init__(self, definition: Definition, settings: Settings, aws: Aws) -> None:
        self.definition = definition
        self.settings = settings
        self.aws = aws
        self.eye, self.edge = PaintedEye(), QuietEdge()
        self.services = StageServices(settings, aws, self.eye, self.edge)
        self.given: dict[str, list[Any]] = defaultdict(list)
        self.waits: list[float] = []  # seconds that retries would have waited
        self.pauses: list[int] = []  # seconds that Wait states would have waited
        self.meanwhile: Callable[[], object] | None = None  # what happens while the next of them waits
        self.held: dict[str, threading.Event] = {}  # a state's calls wait for it, as long as it is here
        self._faults: dict[str, list[Exception]] = defaultdict(list)
        self._faults_after: dict[str, list[Exception]] = defaultdict(list)
        self._roles: dict[str, RoleServices] = {}
        self._lock = threading.Lock()
        self._quiet = threading.Condition()
        self._busy = 0

    # --- what tests do ---

    def break_task(self, state: str, *errors: Exception) -> None:
        """Let the state's next calls fail, one error each, before the task does anything."""
        self._faults[state] += errors

    def lose_answer(self, state: str, *errors: Exception) -> None:
        """Let the state's next calls do their work and then fail: the answer is lost, the work is done."""
        self._faults_after[state] += errors

    def call(self, function: str, event: Any) -> Any:
        """Invoke a function of ours by its name, as Lambda would."""
        module = importlib.import_module(f"tasks.{snake(function)}")
        services = self.services_of(function)
        if function in self.definition.functions.values():
            return lambda_handler(module.handler.task, services)(event, None)
        return _around(module.handler)(module.handler.task, services)(event, None)

    def services_of(self, function: str) -> RoleServices:
        """What a function opens, once for all its calls on this stage."""
        with self._lock:
            if function not in self._roles:
                role = role_aws(function, self.settings)
                role.denied.clear()
                self._roles[function] = RoleServices(self, role)
            return self._roles[function]

    def denied(self) -> list[str]:
        """What functions asked for and their roles do not allow, whether or not somebody caught the error."""
        return [words for function in self._roles for words in role_aws(function, self.settings).denied]

    def pause(self, seconds: int) -> None:
        """A Wait state: nobody waits, and what is to happen meanwhile happens."""
        self.pauses.append(seconds)
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()

    def use(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the machine's definition for the executions that start from now on."""
        body = json.loads(json.dumps(self.definition.body))
        change(body)
        self.aws.client("stepfunctions").update_state_machine(
            stateMachineArn=self._machine, definition=substituted(Definition(self.definition.name, body), self._value)
        )

    def lose_execution(self, name: str) -> None:
        """End an execution as an engine's restart does: it has failed, and its task tokens are dead.

        moto's own StopExecution leaves one that waits for a token RUNNING, so its end is written into moto's books.
        """
        machines = stepfunctions_parser_backends["123456789012"]["us-east-1"].state_machines
        lost = next(each for machine in machines for each in machine.executions if each.name == name)
        lost.exec_status, lost.error, lost.stop_date = ExecutionStatus.FAILED, "States.ServiceRestart", datetime.now(UTC)

    # --- what the engine does ---

    def invoke(self, function: str, body: str | bytes | None) -> tuple[Any, Exception | None]:
        """One invocation by the interpreter: the answer, or what the function threw."""
        state = function.removeprefix("greenroom-")
        event = json.loads(body or "{}")
        with self._at_work():
            return self._perform(state, event)

    def _perform(self, state: str, event: Any) -> tuple[Any, Exception | None]:
        with self._lock:
            self.given[state].append(event)
            before = self._faults[state].pop(0) if self._faults[state] else None
            after = None if before or not self._faults_after[state] else self._faults_after[state].pop(0)
            held = self.held.get(state)
        assert held is None or held.wait(60), f"{state} was held for a minute"
        if before:
            return None, before
        try:
            answer = self.call(state, event)
        except Exception as fault:
            return None, fault
        return answer, after

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._quiet:
            self._busy += 1
        try:
            yield
        finally:
            with self._quiet:
                self._busy -= 1
                self._quiet.notify_all()

    def fall_quiet(self) -> None:
        """Wait for calls that still run: the other branch of a Parallel state goes on after the execution has failed."""
        with self._quiet:
            assert self._quiet.wait_for(lambda: self._busy == 0, timeout=60), "a task did not come to its end"

    # --- building ---

    def build(self) -> None:
        for bucket in ("inbox", "work", "site", "audit"):
            name = getattr(self.settings, f"{bucket}_bucket")
            self.aws.client("s3").create_bucket(Bucket=name)
            if bucket in ("inbox", "audit"):
                versioning = {"Status": "Enabled"}
                self.aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
        make_tables(self.aws, self.settings)
        assert self.services.get(Catalog).approvers.begin([APPROVER])
        self.queue = self.aws.client("sqs").create_queue(QueueName="greenroom-approvals")["QueueUrl"]
        for address in (SENDER, APPROVER):
            self.aws.client("ses").verify_email_identity(EmailAddress=address)
        role = self.aws.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self._functions = {name: self._function(name, role) for name in sorted(set(self.definition.functions.values()))}
        self._machine = self.aws.client("stepfunctions").create_state_machine(
            name=self.settings.machine_name, definition=substituted(self.definition, self._value), roleArn=role
        )["stateMachineArn"]

    def _function(self, name: str, role: str) -> str:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("empty.txt", "the code runs in this process")
        made = self.aws.client("lambda").create_function(
            FunctionName=f"greenroom-{name}",
            Runtime="python3.12",
            Role=role,
            Handler=f"tasks.{snake(name)}.handler",
            Code={"ZipFile": package.getvalue()},
        )
        return str(made["FunctionArn"])

    def _value(self, name: str) -> str:
        if name.endswith("FunctionArn"):
            return self._functions[name.removesuffix("FunctionArn")]
        return {"CatalogTable": self.settings.catalog_table, "ApprovalsQueueUrl": self.queue}[name]


def make_tables(aws: Aws, settings: Settings) -> None:
    """The catalog's table and the reviews', as infra/templates/storage.yaml makes them."""
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    index_keys = [{"AttributeName": "gsi1pk", "KeyType": "HASH"}, {"AttributeName": "gsi1sk", "KeyType": "RANGE"}]
    index = {"IndexName": "by-status", "KeySchema": index_keys, "Projection": {"ProjectionType": "ALL"}}
    _make_table(aws, settings.catalog_table, keys, [*keys, *index_keys], GlobalSecondaryIndexes=[index])
    _make_table(aws, settings.reviews_table, keys, keys)


def _make_table(aws: Aws, name: str, keys: list[dict[str, str]], named: list[dict[str, str]], **more: Any) -> None:
    texts = [{"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in named]
    aws.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=texts, KeySchema=keys, **more
    )


def _around(handler: Handler) -> Callable[[Any, Services], Handler]:
    """The wrapper that a module chose for its function: `queue_handler`, `http_handler` or `lambda_handler`."""
    wrapper = handler.__qualname__.split(".")[0]
    found: Callable[[Any, Services], Handler] = handler.__globals__[wrapper]
    return found


@cache
def shared_aws() -> Aws:
    """Clients are slow to make and know nothing of moto's state: one set serves every stage."""
    return Aws()


@cache
def role_aws(function: str, settings: Settings) -> RoleAws:
    """The same for one function."""
    return RoleAws(function, shared_aws()._session, settings)


@contextmanager
def raised(definition: Definition, settings: Settings = SETTINGS) -> Iterator[Stage]:
    """A stage for as long as the block lasts. Nothing waits; `stage.waits` and `stage.pauses` say how long it would have."""
    with mock_aws(config=MOTO):
        stage = Stage(definition, settings, shared_aws())
        unhurried = SimpleNamespace(sleep=stage.waits.append)
        with (
            serial_dynamodb(),
            patch.object(simple_lambda.LambdaSimpleBackend, "invoke", _invocation(stage)),
            patch.object(retrier_decl, "time", unhurried),
            patch.object(WaitFunction, "_wait_interval", lambda waiting, env, wait_seconds: stage.pause(wait_seconds)),
            patch.object(StepFunctionsParserBackend, "_get_executions", _those_that_began),
            # moto makes a list of what `$[0].verdict` names; AWS, MiniStack and Step Functions Local give the value.
            patch.object(json_path, "Index", Mended),
        ):
            stage.build()
            try:
                yield stage
            finally:
                stage.fall_quiet()
            assert stage.denied() == []


EXECUTIONS = StepFunctionsParserBackend._get_executions


def _those_that_began(backend: StepFunctionsParserBackend, status: ExecutionStatus | None = None) -> list[Any]:
    """moto looks for a token in every running execution, and trips over one that has only just been started."""
    return [each for each in EXECUTIONS(backend, status) if each.exec_worker and each.exec_worker.env]


def _invocation(stage: Stage) -> Callable[..., bytes]:
    """moto's in-process Lambda calls this method instead of its own."""

    def invoke(backend: Any, name: str, qualifier: str, body: Any, headers: Any, response_headers: dict[str, str]) -> bytes:
        answer, fault = stage.invoke(name.split(":function:")[-1], body)
        if fault is None:
            return json.dumps(answer).encode()
        response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps({"errorType": type(fault).__name__, "errorMessage": str(fault), "stackTrace": []}).encode()

    return invoke
