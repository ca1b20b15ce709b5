"""The example announcement holds every fact of the notice that it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.announcement.model import ImpactState, Origin
from broadcaster.announcement.source import parse_source
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning import policy
from broadcaster.planning.proposal import Proposal, parse, read

FILE = Path(__file__).parents[2] / "examples/qingdao-2022/announcement.yaml"

PROCEDURES = [
    *(
        "参保登记",
        "缴费核定",
        "补收退收",
        "待遇审核",
        "待遇发放",
        "关系转移",
        "资格认证",
        "工龄认定",
        "特殊工种资格确认",
    ),
    *("退休申请", "遗属待遇申领", "劳动能力鉴定", "工伤认定", "权益记录打印", "社保缴费核定（含灵活就业人员）"),
]
ACCESS_POINTS = {
    "hall": ["全市各级人社服务大厅（含街道、社区）"],
    "bank_counter": ["工商银行", "交通银行", "农商银行", "青岛银行"],
    "hospital": ["全市工伤保险协议医疗机构"],
    "platform": ["全国人社公共服务平台", "国家社会保险公共服务平台"],
    "site": ["山东省政务服务网", "青岛市人力资源和社会保障局官网"],
    "app": ["爱山东APP", "爱山东青易办APP", "青岛人社APP"],
    "wechat_account": ["青岛人社", "青岛12333", "青岛Ai人社"],
    "kiosk": ["青岛人社自助一体机"],
    "enterprise_line": ["青岛人社政企直通车"],
    "data_exchange": ["与政府各部门和社会机构的数据共享"],
}


@pytest.fixture(scope="module")
def proposal() -> Proposal:
    """The example, read as the product reads it."""
    return read(FILE, CHANNELS)


def test_the_times_are_those_of_the_notice(proposal: Proposal) -> None:
    """26 February 00:00 to 20 March 24:00 Beijing time; back on 21 March 00:00."""
    one = proposal.announcement
    assert one.window.start.isoformat() == "2022-02-26T00:00:00+08:00"
    assert one.window.end is not None
    assert one.window.end.isoformat() == "2022-03-21T00:00:00+08:00"
    assert one.resume is not None
    assert one.resume.isoformat() == "2022-03-21T00:00:00+08:00"
    assert (one.zone, one.zone_name) == ("Asia/Shanghai", {"zh-Hans": "北京时间", "en": "Beijing time"})


def test_every_group_of_business_and_every_procedure_is_named(proposal: Proposal) -> None:
    """Four insurances and the annuity with fifteen procedures, work-injury medical costs, and information sharing."""
    insurance, medical, sharing = proposal.announcement.services
    words = ("企业", "居民", "机关事业", "养老保险", "失业保险", "工伤保险", "职业年金", "全部业务")
    assert [word for word in words if word not in insurance.name["zh-Hans"]] == []
    assert [item["zh-Hans"] for item in insurance.items] == PROCEDURES
    assert "协议医疗机构" in medical.name["zh-Hans"]
    assert [item["zh-Hans"] for item in medical.items] == ["工伤医疗（康复）费用登记", "工伤医疗（康复）费用联网结算"]
    assert [word for word in ("政府各部门", "社会机构", "共享") if word not in sharing.name["zh-Hans"]] == []


def test_every_access_point_is_named_once(proposal: Proposal) -> None:
    """From the halls and the four banks to the enterprise line and the data exchange."""
    found: dict[str, list[str]] = {}
    for point in proposal.announcement.access_points:
        found.setdefault(str(point.kind), []).append(point.name["zh-Hans"])
    assert found == ACCESS_POINTS


def test_every_service_and_access_point_is_suspended(proposal: Proposal) -> None:
    """The notice leaves none of them open, and gives all of them the same window."""
    one = proposal.announcement
    assert {impact.state for impact in one.impacts} == {ImpactState.SUSPENDED}
    assert {name for impact in one.impacts for name in impact.services} == {service.id for service in one.services}
    assert {n for impact in one.impacts for n in impact.access_points} == {point.id for point in one.access_points}
    assert all(impact.window is None for impact in one.impacts)


def test_owner_and_reason_are_those_of_the_notice(proposal: Proposal) -> None:
    """The bureau moves the province's data to the national pooled pension system."""
    one = proposal.announcement
    assert one.owner.name["zh-Hans"] == "青岛市人力资源和社会保障局"
    assert one.owner.signature["zh-Hans"] == "青岛人社"
    words = ("山东省", "社会保险信息系统", "数据", "养老保险全国统筹信息系统")
    assert [word for word in words if word not in one.reason["zh-Hans"]] == []


def test_what_the_notice_does_not_say_is_marked_as_added(proposal: Proposal) -> None:
    """The hotline is ours, the advice moves no payment, and the telephone is not among what stops."""
    one = proposal.announcement
    assert [(contact.value, contact.origin) for contact in one.contacts] == [("12333", Origin.ADDED)]
    assert {str(advice.kind) for advice in one.advice} == {"do_before", "catch_up"}
    assert "phone_line" not in {str(point.kind) for point in one.access_points}
    assert FILE.read_text(encoding="utf-8").count("Added") >= 3


def test_the_advice_has_its_deadline_at_the_start(proposal: Proposal) -> None:
    """The last moment to finish urgent business is the start of the stop itself."""
    one = proposal.announcement
    assert one.advice[0].deadline == one.window.start


def test_the_default_policy_holds_and_the_file_survives_a_round_trip(proposal: Proposal) -> None:
    """What is written back says the same, to the hash."""
    assert proposal.policy == policy.DEFAULT
    assert parse(parse_source(proposal.to_yaml(), "again.yaml"), CHANNELS).digest == proposal.digest
