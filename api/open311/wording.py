"""Names of the services, for people who choose one; their codes are the names of the kinds of reports."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GROUP_NAMES", "SERVICE_NAMES", "UPDATE_TEXTS"]

SERVICE_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "zh": {
            "utilities": ("公用设施", "井盖、路灯、管线等损坏或缺失。"),
            "roads": ("道路交通设施", "路面、护栏、信号灯、指示牌等损坏。"),
            "environment": ("环卫设施", "垃圾箱、公厕等损坏。"),
            "greening": ("园林绿化", "树木、绿地、花坛受损。"),
            "other_component": ("其他设施", "街面上其他设施损坏。"),
            "appearance": ("市容环境", "垃圾、污水、道路不洁。"),
            "advertising": ("宣传广告", "非法小广告、广告牌破损。"),
            "building_site": ("施工管理", "工地扬尘、噪声、占道。"),
            "emergency": ("突发事件", "路面塌陷、管线泄漏、积水等险情。"),
            "street_order": ("街面秩序", "占道经营、乱停车、堵塞出口。"),
            "other_event": ("其他事件", "街面上其他问题。"),
        },
        "en": {
            "utilities": ("Public utilities", "Manhole covers, lamps or pipes broken or missing."),
            "roads": ("Road facilities", "Surface, railings, lights or signs broken."),
            "environment": ("Sanitation facilities", "Litter bins or public toilets broken."),
            "greening": ("Trees and greens", "Trees, greens or flower beds damaged."),
            "other_component": ("Other facilities", "Anything else that is broken in the street."),
            "appearance": ("Rubbish and dirt", "Rubbish, sewage or dirty streets."),
            "advertising": ("Advertising", "Illegal bills, broken boards."),
            "building_site": ("Building sites", "Dust, noise or a blocked street."),
            "emergency": ("Danger", "Collapsed surface, leaking pipes, flooding."),
            "street_order": ("Street order", "Stalls in the way, bad parking, blocked exits."),
            "other_event": ("Other events", "Anything else that happens in the street."),
        },
    }
)
"""By language and kind: name and description."""
GROUP_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"zh": {"component": "部件", "event": "事件"}, "en": {"component": "things", "event": "events"}}
)
UPDATE_TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "matter_accepted": "已受理。",
            "work_started": "正在处理。",
            "matter_fixed": "已处理。",
            "matter_declined": "不予处理。",
            "matter_closed": "已办结。",
            "matter_reopened": "重新办理。",
        },
        "en": {
            "matter_accepted": "The office has taken it on.",
            "work_started": "Work has begun.",
            "matter_fixed": "The office says that it is done.",
            "matter_declined": "The office will not act.",
            "matter_closed": "It is closed.",
            "matter_reopened": "It is open again.",
        },
    }
)
"""What is said of a step where the office has said nothing itself."""
