"""What `yilu traces` says of trace files: for people in zh or en, and for programs."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.forms import Language
from geo.traces import HINTS, Inspection, TraceFormat, inspect_file, paste_table, trace_files

if TYPE_CHECKING:
    from geo.streets import StreetNetwork

__all__ = ["inspect_paths", "print_inspection", "record_of"]

_TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "kind": "文件类型",
        "layout": "已知格式",
        "encoding": "编码",
        "separator": "分隔符",
        "header": "表头",
        "yes": "有",
        "no": "无",
        "titles": "有，其上 {n} 行标题",
        "columns": "列的含义",
        "alternatives": "其他可能的列",
        "others": "未使用的列",
        "time": "时间格式",
        "rows": "前几行（仅示形状）",
        "account": "行数：读取 / 采用 / 剔除",
        "reasons": "剔除原因",
        "riders": "骑手",
        "days": "天数",
        "rate": "采样间隔（中位数，秒）",
        "walked": "步行的点（估计）",
        "datum": "坐标系依据",
        "inside": "地图范围内的点",
        "skipped": "未读取",
        "hint": "提示",
        "problem": "需要说明",
        "paste": "粘贴到方案文件：",
    },
    "en": {
        "kind": "kind",
        "layout": "known layout",
        "encoding": "encoding",
        "separator": "separator",
        "header": "header",
        "yes": "yes",
        "no": "none",
        "titles": "yes, below {n} title lines",
        "columns": "columns",
        "alternatives": "others that would fit",
        "others": "not used",
        "time": "form of times",
        "rows": "first rows, by shape",
        "account": "rows: read / accepted / refused",
        "reasons": "reasons",
        "riders": "riders",
        "days": "days",
        "rate": "median interval, s",
        "walked": "points on foot (estimate)",
        "datum": "evidence about the datum",
        "inside": "points on the map",
        "skipped": "not read",
        "hint": "hint",
        "problem": "to be said",
        "paste": "to paste into a study file:",
    },
}
_HINTS_ZH = {
    "swapped": "经度和纬度似乎颠倒：在 columns 中对调",
    "e5": '位置像是度数×1e5：position_unit = "e5"',
    "e6": '位置像是度数×1e6：position_unit = "e6"',
    "e7": '位置像是度数×1e7：position_unit = "e7"',
    "ddmm": '位置像是 NMEA 的 ddmm.mmmm：position_unit = "ddmm"',
    "metres": "位置像是投影坐标（米）：请换算为经纬度",
    "excel": '时间像是 Excel 序列日期：time_format = "excel"',
    "no_year": "时间没有年份：请写明，如 year = 2026",
    "day_only": "时间只有日期，没有时刻",
    "text_time": '时间格式未知：请写明，如 time_format = "%d.%m.%y %H:%M"',
    "only_waypoints": "GPX 文件只有航点或路线，没有带时间的轨迹",
    "minutes": "时间只精确到分钟：每分钟只保留一个点",
    "coarse": "多数行的定位精度超过上限：若该列以米为单位，请调高 max_accuracy_m",
    "datum_doubtful": "道路更支持另一种坐标系，但不够明确：请核对平台的说明",
    "off_streets": "行驶里程不足一半在道路上：请核对坐标系和地图",
}


def inspect_paths(
    paths: Sequence[Path], trace_format: TraceFormat, network: "StreetNetwork | None"
) -> list[tuple[Path, Inspection]]:
    """Look at each file; folders and patterns are opened."""
    return [(path, inspect_file(path, trace_format, network)) for path in trace_files(paths)]


def record_of(path: Path, found: Inspection) -> dict[str, Any]:
    """Return what was found as figures and words for programs; values stand in it by shape only."""
    look = dataclasses.asdict(dataclasses.replace(found.look, form=None, times=()))
    del look["form"], look["times"]
    rest = {
        field.name: getattr(found, field.name)
        for field in dataclasses.fields(found)
        if field.name not in ("look", "hints")
    }
    return {**look, **rest, "hints": list(found.hints), "table": paste_table(path, found)}


def print_inspection(path: Path, found: Inspection, language: Language) -> None:
    """Print what was found about one file."""
    texts, look = _TEXTS[language], found.look
    click.echo(look.file)
    header = texts["yes"] if look.header else texts["no"]
    if look.title_lines:
        header = texts["titles"].format(n=look.title_lines)
    separator = {"\t": "tab", " ": "space"}.get(look.separator, look.separator)
    inside = "" if found.inside_share is None else f"{100 * found.inside_share:.0f}%"
    refused = sum((found.rejected or {}).values())
    hints = HINTS if language == "en" else _HINTS_ZH
    lines = [
        ("kind", look.kind),
        ("layout", look.layout),
        ("encoding", look.encoding),
        ("separator", separator),
        ("header", header if look.columns else ""),
        ("columns", ", ".join(f"{ours} = {theirs}" for ours, theirs in look.columns)),
        ("alternatives", ", ".join(f"{ours}: {theirs}" for ours, theirs in look.alternatives)),
        ("others", ", ".join(look.others)),
        ("time", look.time_form),
        *(("rows", row) for row in look.rows),
        ("account", f"{found.read:,} / {found.accepted:,} / {refused:,}" if found.read else ""),
        ("reasons", ", ".join(f"{why} {n:,}" for why, n in sorted((found.rejected or {}).items()))),
        ("riders", f"{found.riders:,}" if found.read else ""),
        ("days", f"{found.days:,}" if found.read else ""),
        ("rate", "" if found.median_interval_s is None else f"{found.median_interval_s:g}"),
        ("walked", "" if found.walked_share is None else f"{100 * found.walked_share:.0f}%"),
        ("datum", found.datum_evidence),
        ("inside", inside),
        *(("skipped", f"{name}: {why}") for name, why in found.skipped),
        *(("hint", hints[code]) for code in found.hints),
        ("problem", look.problem),
    ]
    for key, value in lines:
        if value:
            click.echo(f"  {texts[key]}: {value}")
    click.echo(f"  {texts['paste']}")
    click.echo("".join(f"    {line}\n" for line in paste_table(path, found).split("\n")))
