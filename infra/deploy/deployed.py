"""Greenroom as it is deployed somewhere: on this laptop or in an AWS account, found by its CloudFormation stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from infra.errors import Failed

if TYPE_CHECKING:
    from tasks.catalog import Catalog, Reviews
    from tasks.core.aws.s3 import Store
    from tasks.core.aws.ses import Mailer
    from tasks.core.aws.session import Aws
    from tasks.core.aws.stepfunctions import Machine
    from tasks.core.entrypoint import Services
    from tasks.core.settings import Settings


T = TypeVar("T")


@dataclass
class Deployed:
    """A deployed stack's services, opened when first used, with the rights of whoever asks.

    `region` is needed where the environment names none; `told` is the environment of its functions, where that is known.
    """

    stack_name: str
    region: str = ""
    told: Mapping[str, str] | None = None
    is_local: bool = False

    @cached_property
    def aws(self) -> Aws:
        from tasks.core.aws.session import Aws

        return Aws(self.region)

    @cached_property
    def settings(self) -> Settings:
        """What its functions are told; read from one of them."""
        from tasks.core.settings import Settings

        return Settings.read(self.told or self.function_environment("Sweep"))

    def function_environment(self, name: str) -> dict[str, str]:
        """One function's environment variables; `name` as in SweepFunction without the ending."""
        found = self.aws.client("lambda").get_function_configuration(FunctionName=self.physical(f"{name}Function"))
        variables: dict[str, str] = found.get("Environment", {}).get("Variables", {})
        return variables

    def physical(self, logical: str) -> str:
        """The name of a resource of the pipeline stack; raises Failed when the stack has none."""
        client = self.aws.client("cloudformation")
        try:
            found = client.describe_stack_resource(StackName=self.stack_name, LogicalResourceId=logical)
        except Exception as fault:
            if not self.error_code(fault):
                raise
            raise Failed(f"no {logical} in stack {self.stack_name}: {fault}. Is --stack-name right?") from fault
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name

    def outputs(self, stack_name: str = "") -> dict[str, str]:
        """A stack's outputs by key."""
        found = self.aws.client("cloudformation").describe_stacks(StackName=stack_name or self.stack_name)
        return {row["OutputKey"]: row["OutputValue"] for row in found["Stacks"][0].get("Outputs", [])}

    @cached_property
    def services(self) -> Services:
        from tasks.core.entrypoint import Services

        return Services(self.settings, self.aws)

    @property
    def catalog(self) -> Catalog:
        from tasks.catalog import Catalog

        return self._get(Catalog)

    @property
    def reviews(self) -> Reviews:
        from tasks.catalog import Reviews

        return self._get(Reviews)

    @property
    def store(self) -> Store:
        from tasks.core.aws.s3 import Store

        return self._get(Store)

    @property
    def machine(self) -> Machine:
        from tasks.core.aws.stepfunctions import Machine

        return self._get(Machine)

    @property
    def mailer(self) -> Mailer:
        from tasks.core.aws.ses import Mailer

        return self._get(Mailer)

    @property
    def site_url(self) -> str:
        """The site's public address, without a slash at its end."""
        from tasks.core.aws.edge import Edge

        return self._get(Edge).site_url

    def invoke(self, name: str, event: Any) -> Any:
        """Run one of its functions and wait; raises Failed with the function's own words."""
        function = self.physical(f"{name}Function")
        answer = self.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        result = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise Failed(f"{name} failed: {result.get('errorType', '')}: {result.get('errorMessage', result)}")
        return result

    def deliver(self, name: str, body: Any) -> None:
        """Hand one of its queue consumers a message now, past the queue; raises Failed as `invoke` does."""
        self.invoke(name, {"Records": [{"messageId": "by-hand", "body": json.dumps(body)}]})

    @staticmethod
    def error_code(fault: Exception) -> str:
        from tasks.core.errors import error_code

        return error_code(fault)

    def _get(self, wanted: type[T]) -> T:
        opened: T = self.services.get(wanted)
        return opened
