"""Clients that nobody here wrote: the vendors' own SDKs send to our stand-ins, and sign as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from alibabacloud_dysmsapi20170525.client import Client as AliyunClient
from alibabacloud_dysmsapi20170525.models import (
    QuerySendDetailsRequest,
    QuerySmsTemplateListRequest,
    SendBatchSmsRequest,
    SendSmsRequest,
)
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils_models import Config
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.models import DescribeSmsTemplateListRequest
from tencentcloud.sms.v20210111.models import SendSmsRequest as TencentSendSmsRequest
from tencentcloud.sms.v20210111.sms_client import SmsClient

from broadcaster import clock
from broadcaster.channels.reviewed import Template
from broadcaster.channels.sms.aliyun import wire as aliyun
from broadcaster.channels.sms.marks import mark
from broadcaster.channels.sms.tencent import wire as tencent
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.vendors import KEY, OPTIONS, SIGN_NAMES, Vendor, message, vendor


def sample(found: Vendor) -> tuple[str, dict[str, str], str]:
    """The code of an approved template, parameters for it, and what a phone shows of the two."""
    text = message().parts["text"]
    row = next(row for row in found.provider.options.templates if (row.phase, row.language) == ("started", "zh-Hans"))  # type: ignore[attr-defined]
    parameters = Template.parse(row.text, found.provider.options.syntax).parameters(text.partition("】")[2])  # type: ignore[attr-defined]
    assert parameters
    return row.code, parameters, text


class TestAliyun:
    """alibabacloud-dysmsapi20170525"""

    @pytest.fixture
    def stand_in(self) -> Iterator[Vendor]:
        """The stand-in at the root of its server, as the SDK takes no path."""
        with vendor("aliyun") as found:
            yield found

    @staticmethod
    def client(url: str, secret: str = KEY) -> AliyunClient:
        """The SDK, told to call this machine."""
        key_id = OPTIONS["aliyun"]["access_key_id"]
        endpoint = urlsplit(url).netloc
        config = Config(access_key_id=key_id, access_key_secret=secret, endpoint=endpoint, protocol="http")
        return AliyunClient(config)

    def test_it_tells_several_numbers_the_same(self, stand_in: Vendor) -> None:
        """SendSms, with everything in the query; the phone shows the approved text with its parameters."""
        code, parameters, text = sample(stand_in)
        answer = self.client(stand_in.provider.url).send_sms(
            SendSmsRequest(
                phone_numbers="13800138000,13800138001",
                sign_name=SIGN_NAMES["zh-Hans"],
                template_code=code,
                template_param=json.dumps(parameters),
                out_id=mark(stand_in.sample.broadcast, "key-of-the-sdk"),
            )
        )
        assert (answer.body.code, bool(answer.body.biz_id)) == ("OK", True)
        assert stand_in.shown()[:2] == [1, 1]
        assert stand_in.texts() == {text}

    def test_it_tells_each_number_its_own_and_asks_about_it(self, stand_in: Vendor) -> None:
        """SendBatchSms, with lists in a form; QuerySendDetails then knows of it."""
        code, parameters, _ = sample(stand_in)
        client = self.client(stand_in.provider.url)
        client.send_batch_sms(
            SendBatchSmsRequest(
                phone_number_json=json.dumps(["13800138000", "13800138001"]),
                sign_name_json=json.dumps([SIGN_NAMES["zh-Hans"]] * 2),
                template_param_json=json.dumps([parameters, parameters]),
                template_code=code,
                out_id="b.k",
            )
        )
        day = aliyun.days(clock.machine_now())[0]
        found = client.query_send_details(
            QuerySendDetailsRequest(phone_number="13800138001", send_date=day, page_size=10, current_page=1)
        ).body
        assert [row.out_id for row in found.sms_send_detail_dtos.sms_send_detail_dto] == ["b.k"]
        listed = client.query_sms_template_list(QuerySmsTemplateListRequest(page_index=1, page_size=50)).body
        assert code in {row.template_code for row in listed.sms_template_list}

    def test_it_understands_a_refusal(self, stand_in: Vendor) -> None:
        """A wrong key is refused with the vendor's own code."""
        with pytest.raises(ClientException) as caught:
            self.client(stand_in.provider.url, "another").query_sms_template_list(QuerySmsTemplateListRequest())
        assert caught.value.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("batch", [False, True])
    def test_it_signs_as_we_do(self, server: LocalServer, *, batch: bool) -> None:
        """The same request, signed by both, has the same signature."""
        server.answer = Answer(body=b'{"Code": "OK", "BizId": "1"}', headers={"content-type": "application/json"})
        client = self.client(server.url)
        if batch:
            lists = json.dumps(["青岛 ~*+/人社"])
            client.send_batch_sms(SendBatchSmsRequest(phone_number_json=lists, sign_name_json=lists, out_id="b.k"))
        else:
            client.send_sms(SendSmsRequest(phone_numbers="1,2", template_param='{"name": "王 芳+~*"}'))
        [request] = server.received
        declared = _fields(request)
        headers = {name: request.headers[name] for name in declared["SignedHeaders"].split(";")}
        query = dict(parse_qsl(urlsplit(request.path).query))
        signature, names = aliyun.sign(KEY, request.method, urlsplit(request.path).path, query, headers)
        assert (signature, names) == (declared["Signature"], declared["SignedHeaders"])
        assert headers["x-acs-content-sha256"] == aliyun.hashed(request.body)


class TestTencent:
    """tencentcloud-sdk-python-sms"""

    @pytest.fixture
    def stand_in(self) -> Iterator[Vendor]:
        """The stand-in at the root of its server, as the SDK takes no path."""
        with vendor("tencent") as found:
            yield found

    @staticmethod
    def client(url: str, secret: str = KEY) -> SmsClient:
        """The SDK, told to call this machine."""
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=urlsplit(url).netloc))
        return SmsClient(Credential(OPTIONS["tencent"]["secret_id"], secret), "ap-guangzhou", profile)

    @staticmethod
    def request(code: str, parameters: Mapping[str, str], *numbers: str) -> TencentSendSmsRequest:
        """SendSms, as the SDK has it."""
        request = TencentSendSmsRequest()
        request.PhoneNumberSet = list(numbers)
        request.SmsSdkAppId = OPTIONS["tencent"]["sdk_app_id"]
        request.TemplateId = code
        request.SignName = SIGN_NAMES["zh-Hans"]
        request.TemplateParamSet = [parameters[str(number)] for number in range(1, len(parameters) + 1)]
        request.SessionContext = mark("b" * 20, "key-of-the-sdk")
        return request

    def test_it_is_told_of_each_number(self, stand_in: Vendor) -> None:
        """One is refused, the other shows the approved text with its parameters."""
        code, parameters, text = sample(stand_in)
        request = self.request(code, parameters, "+8613800138000", "+8613800138999")
        found = self.client(stand_in.provider.url).SendSms(request)
        assert [row.Code for row in found.SendStatusSet] == ["Ok", "FailedOperation.PhoneNumberInBlacklist"]
        assert (stand_in.shown()[0], stand_in.texts()) == (1, {text})

    def test_it_lists_what_is_approved(self, stand_in: Vendor) -> None:
        """As `doctor` asks."""
        code, _, _ = sample(stand_in)
        request = DescribeSmsTemplateListRequest()
        request.International, request.TemplateIdSet = 0, [int(code)]
        found = self.client(stand_in.provider.url).DescribeSmsTemplateList(request).DescribeTemplateStatusSet
        assert [(str(row.TemplateId), row.StatusCode) for row in found] == [(code, 0)]

    def test_it_understands_a_refusal(self, stand_in: Vendor) -> None:
        """A wrong key is refused with the vendor's own code."""
        code, parameters, _ = sample(stand_in)
        with pytest.raises(TencentCloudSDKException) as caught:
            self.client(stand_in.provider.url, "another").SendSms(self.request(code, parameters, "+8613800138000"))
        assert caught.value.get_code() == "AuthFailure.SignatureFailure"

    def test_it_signs_as_we_do(self, server: LocalServer) -> None:
        """The same request, signed by both, has the same header to the letter."""
        server.answer = Answer(body=b'{"Response": {"SendStatusSet": [], "RequestId": "1"}}')
        self.client(server.url).SendSms(self.request("7000", {"1": "2月26日0时 ~*+"}, "+8613800138000"))
        [request] = server.received
        headers = {name: request.headers[name] for name in ("content-type", "host")}
        timestamp = int(request.headers["x-tc-timestamp"])
        key_id = OPTIONS["tencent"]["secret_id"]
        expected = tencent.sign(KEY, key_id, request.path, headers, request.body, timestamp)
        assert request.headers["authorization"] == expected


def _fields(request: Received) -> Mapping[str, Any]:
    return dict(part.strip().split("=", 1) for part in request.headers["authorization"].partition(" ")[2].split(","))
