"""What vendors in mainland China have in common: signatures, reviewed templates, numbers, and how they count.

A message goes out as the code of an approved template with parameters, and must read exactly as it was rendered.
Source: the vendors' rules for notifications (https://help.aliyun.com/document_detail/108253.html,
https://cloud.tencent.com/document/product/382/39023 and /18058): 70 characters are one segment, longer texts are
counted by 67, every character as one, the signature with its 【】 included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, field_validator

from broadcaster.announcement.model import Frozen
from broadcaster.announcement.text import Language, Words
from broadcaster.channels.call import Call, Delivery, Member, Outcome
from broadcaster.channels.options import Options
from broadcaster.channels.provider import Provider
from broadcaster.channels.reviewed import Syntax, Template, faults
from broadcaster.channels.sms.message import MAX_CHARACTERS
from broadcaster.channels.supplier import Quote
from broadcaster.errors import PermanentError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import ADDRESSEE, Measure, Message, Parts, personalised
from broadcaster.rendering.wording import wording

_SIGNED = re.compile(r"【([^】]*)】(.*)", re.DOTALL)
_NUMBER = re.compile(r"\+86(1\d{10})")
SUBMITTED = "`broadcaster sms templates FILE` writes the texts to submit"
FOREIGN = "it is not a number of mainland China"


class ApprovedText(Frozen):
    """A text that the vendor has reviewed, and the code that it was given."""

    phase: Phase
    language: Language
    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    text: Words


class MainlandOptions(Options):
    """What a mainland vendor has approved for the account."""

    syntax: ClassVar[Syntax]
    sign_name: str | dict[Language, str]
    """The approved signature, without 【】; where languages sign differently, one for each."""
    templates: Annotated[tuple[ApprovedText, ...], Field(min_length=1)]
    """Several for one phase and language are variants: the first that gives the text is used."""
    parameter_length: int
    """The most characters of a variable."""
    price_per_segment: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    """What a segment costs, in the site's currency."""

    @field_validator("templates")
    @classmethod
    def _approvable(cls, templates: tuple[ApprovedText, ...]) -> tuple[ApprovedText, ...]:
        for template in templates:
            for fault in faults(template.text, cls.syntax):
                raise ValueError(f"the template {template.code}: {fault}")
        return templates

    def signature(self, language: str) -> str | None:
        """The signature of a language; None: nothing is approved for it."""
        return self.sign_name if isinstance(self.sign_name, str) else self.sign_name.get(language)

    def template(self, code: str) -> ApprovedText | None:
        """The template of a code."""
        return next((row for row in self.templates if row.code == code), None)


@dataclass(frozen=True, slots=True)
class Filled:
    """An approved template with the parameters that make it say a text; one may hold the reader's place."""

    signature: str
    template: ApprovedText
    parameters: tuple[tuple[str, str], ...]

    def for_reader(self, member: Member) -> dict[str, str]:
        """The parameters for one reader."""
        nameless = wording(member.language).addressee
        return {name: personalised(value, member.name, nameless) for name, value in self.parameters}

    def for_everybody(self) -> dict[str, str] | None:
        """The parameters where all read the same; None: each reader has their own."""
        return None if any(ADDRESSEE in value for _, value in self.parameters) else dict(self.parameters)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one request carries: one template, a signature, and each reader's number with their parameters.

    `refused` are members whom the vendor would refuse, found before anybody is called.
    """

    filled: Filled
    readers: tuple[tuple[Member, str, dict[str, str]], ...]
    refused: Mapping[int, str]

    @property
    def alike(self) -> bool:
        """Whether everybody reads the same."""
        first = self.readers[0][2]
        return all(parameters is first or parameters == first for _, _, parameters in self.readers)

    def deliveries(self, call: Call, accepted: Mapping[int, Delivery]) -> list[Delivery]:
        """One delivery a member: as `accepted` says of those who were written to."""
        return [
            Delivery(member.id, Outcome.REJECTED, self.refused[member.id])
            if member.id in self.refused
            else accepted[member.id]
            for member in call.members
        ]


def sheet(call: Call, provider: Provider, options: MainlandOptions) -> Sheet:
    """Put a call into a template; raises PermanentError when it does not fit into one."""
    languages = {member.language for member in call.members}
    if len(languages) > 1:
        raise PermanentError(f"{provider.name}: one request has one template, and so one language")
    [language] = languages
    found = fill(options, call.messages[language])
    if isinstance(found, str):
        raise PermanentError(f"{provider.name}: {found}", hint="`broadcaster check` says which texts are not approved")
    readers, refused = [], {}
    shared, most = found.for_everybody(), options.parameter_length
    for member in call.members:
        number, parameters = _NUMBER.fullmatch(member.address), shared or found.for_reader(member)
        long = [] if parameters is shared else [name for name, value in parameters.items() if len(value) > most]
        if number is None:
            refused[member.id] = FOREIGN
        elif long:
            refused[member.id] = f"what stands for {long[0]} is longer than {options.parameter_length} characters"
        else:
            readers.append((member, number[1], parameters))
    return Sheet(found, tuple(readers), refused)


def fill(options: MainlandOptions, message: Message) -> Filled | str:
    """The approved template that gives a message, with its parameters; or why there is none."""
    rows = tuple(row for row in options.templates if (row.phase, row.language) == (message.phase, message.language))
    signed = _SIGNED.fullmatch(message.parts["text"])
    signature = options.signature(message.language)
    what = f"{message.phase} {message.language}"
    if signature is None:
        return f"no signature is approved for {message.language}"
    if signed is None or signed[1] != signature:
        return f"{what} does not begin with the approved signature 【{signature}】"
    if not rows:
        return f"no template is approved for {what}"
    found = _filled(rows, options.syntax, signed[2], options.parameter_length)
    return Filled(signature, *found) if isinstance(found, tuple) else f"{what}: {found}"


@lru_cache(maxsize=512)
def _filled(
    rows: Sequence[ApprovedText], syntax: Syntax, text: str, longest: int
) -> tuple[ApprovedText, tuple[tuple[str, str], ...]] | str:
    for row in rows:
        parameters = Template.parse(row.text, syntax).parameters(text, longest)
        if parameters is not None:
            return row, tuple(parameters.items())
    for row in rows:
        parameters = Template.parse(row.text, syntax).parameters(text)
        for name, value in (parameters or {}).items():
            if len(value) > longest:
                return f"the variable {name} of {row.code} would have {len(value)} characters, the limit is {longest}"
    return f"none of its approved templates ({', '.join(row.code for row in rows)}) gives the text that is to be sent"


def measure(parts: Parts) -> tuple[Measure, ...]:
    """Characters against the limit, and the segments that are paid for, in every language alike."""
    size = len(parts["text"])
    return (
        Measure("text", size, "characters", MAX_CHARACTERS),
        Measure("price", segments(size), "segments"),
    )


def segments(characters: int) -> int:
    """How many segments a text of so many characters is paid as."""
    return 1 if characters <= 70 else -(-characters // 67)


def quote(message: Message, options: Options) -> Quote:
    """The template that gives a message, its segments and their price; a name counts as if it were not known."""
    assert isinstance(options, MainlandOptions)  # noqa: S101 - the supplier's own kind
    found = fill(options, message)
    text = personalised(message.parts["text"], "", wording(message.language).addressee)
    size = measure({"text": text})
    count = size[1].size
    price = None if options.price_per_segment is None else options.price_per_segment * count
    if isinstance(found, str):
        return Quote("", count, price, found)
    over = next((row for row in size if row.over), None)
    objection = f"{over.name} has {over.size} {over.unit}, the limit is {over.limit}" if over else None
    return Quote(found.template.code, count, price, objection)


def shown(options: MainlandOptions, code: str, signature: str, parameters: Mapping[str, str]) -> str:
    """What a phone shows; raises KeyError when the template has other variables."""
    row = options.template(code)
    if row is None:
        raise KeyError(code)
    return f"【{signature}】{Template.parse(row.text, options.syntax).filled(parameters)}"
