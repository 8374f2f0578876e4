"""What is read in the terminal after a study: the figures, what to look at first, commands to go on with."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from api.forms import Language
from api.study.files import REQUEST_FILE
from maps.texts import Wording
from siting.report import rows_told
from siting.results import Coverage, Study

__all__ = ["DEMO_COMMANDS", "STAGES", "print_study", "print_way_on", "stage_names"]

STAGES = ("map", "fleet", "traces", "stays", "paths", "siting", "matching", "files")
DEMO_COMMANDS = ("serve", "match", "new")

_TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "map": "读取地图",
        "fleet": "生成模拟骑手",
        "traces": "读取轨迹",
        "stays": "识别停留点",
        "paths": "匹配到街道",
        "siting": "选址",
        "matching": "任务匹配",
        "files": "写出地图和报告",
        "riders": "骑手人数",
        "points": "轨迹点：读入 / 采用 / 剔除",
        "stay_points": "停留点数（其中休息）",
        "demand": "休息需求（分钟/日）",
        "stations": "站点：现有 / 建议新增",
        "solver": "求解结果",
        "covered": "已服务的休息需求（{minutes:g}分钟内、开放且有空座位）：训练日 / 检验日",
        "tasks": "城市任务：已派出 / 未派出",
        "extra": "任务多用时间（中位数）",
        "late": "因任务超时的订单",
        "seconds": "{value:.0f}秒",
        "sites": "建议新增站点",
        "name": "名称",
        "kind": "类型",
        "hours": "开放时间",
        "rest": "服务的休息（分钟/日）",
        "gap": "{status}（{gap:.2%}）",
        "synthetic": "轨迹为模拟数据，结果只用于演示。",
        "look": "先看：{file}",
        "look_map": "用浏览器打开：绿色编号圆形是建议新增站点，点开看开放时间和理由；拖动时刻看一天的变化。",
        "then": "再看：{file}",
        "look_report": "同样的内容，供转交的报告。",
        "try": "接下来：",
        "serve": "在浏览器中看地图、报告、网页和接口",
        "match": "哪位骑手顺路完成哪项任务，为什么没有订单超时",
        "new": "为自己的城市写一份待填写的研究文件",
    },
    "en": {
        "map": "Reading the map",
        "fleet": "Making riders",
        "traces": "Reading traces",
        "stays": "Finding stays",
        "paths": "Matching to streets",
        "siting": "Choosing sites",
        "matching": "Matching tasks",
        "files": "Writing map and reports",
        "riders": "Riders",
        "points": "Trace points: read / accepted / rejected",
        "stay_points": "Stay points (of them rests)",
        "demand": "Rest demand (rider-minutes a day)",
        "stations": "Stations: existing / suggested",
        "solver": "Solver",
        "covered": "Rest demand served (within {minutes:g} min, open, with a seat): training / held-out days",
        "tasks": "Tasks: matched / refused",
        "extra": "Extra time of a task on the way (median)",
        "late": "Deliveries made late by tasks",
        "seconds": "{value:.0f} s",
        "sites": "Suggested stations",
        "name": "Name",
        "kind": "Kind",
        "hours": "Open",
        "rest": "Rest min/day",
        "gap": "{status} ({gap:.2%})",
        "synthetic": "The traces are made up: the result is for demonstration only.",
        "look": "Look first at: {file}",
        "look_map": "Open it in a browser: green circles with numbers are the suggested stations; a click "
        "tells kind, hours and reason; the hour slider shows the day.",
        "then": "Then at: {file}",
        "look_report": "The same as a report to hand on.",
        "try": "To go on:",
        "serve": "map, reports, pages and API in a browser",
        "match": "which rider does which task on the way, and why no delivery becomes late",
        "new": "a study file to fill in, for your own city",
    },
}


def stage_names(language: Language) -> dict[str, str]:
    """Return the names of the stages for the progress bars."""
    return {stage: _TEXTS[language][stage] for stage in STAGES}


def print_study(study: Study, language: Language, console: Console | None = None) -> None:
    """Print what was found.

    Parameters
    ----------
    study : Study
        The frozen result; every figure in it is safe to show.
    language : str
        ``zh`` or ``en``.
    console : Console, optional
        None: standard output.
    """
    texts, wording = _TEXTS[language], Wording.of(language, study.k)
    screen = console or Console()
    screen.print(_figures(study, texts, wording))
    screen.print(_sites(study, texts, wording))
    for key, params in study.input_notes:
        screen.print(wording.catalogue.text(key, **dict(params)), highlight=False, markup=False)
    if study.synthetic:
        screen.print(texts["synthetic"])


def print_way_on(
    out: Path,
    mark: str,
    language: Language,
    command: str,
    tries: Sequence[str],
    console: Console | None = None,
) -> None:
    """Name what to look at first and, as the last lines, commands to go on with.

    Parameters
    ----------
    out : Path
        Where the files of the study are.
    mark : str
        What stands before the ending of files in `language`.
    language : str
        ``zh`` or ``en``.
    command : str
        How ``yilu`` is called here.
    tries : sequence of str
        Of ``serve``, ``match`` and ``new``, in their order.
    console : Console, optional
        None: standard output.
    """
    texts = _TEXTS[language]
    screen = console or Console()
    folder = shlex.quote(str(out))
    calls = {
        "serve": f"serve {folder}",
        "match": f"match --study {folder} --lang {language} < {shlex.quote(str(out / REQUEST_FILE))}",
        "new": "new my-city.toml",
    }
    screen.print()
    _whole(screen, texts["look"].format(file=out / f"map{mark}.html"))
    screen.print(_said(texts["look_map"]))
    _whole(screen, texts["then"].format(file=out / f"report{mark}.docx"))
    screen.print(_said(texts["look_report"]))
    screen.print()
    _whole(screen, texts["try"])
    for one in tries:
        screen.print(_said(f"# {texts[one]}"))
        _whole(screen, f"  {command} {calls[one]}")


def _said(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)


def _whole(screen: Console, line: str) -> None:
    """Print a line that can be copied: it is not folded."""
    screen.print(line, soft_wrap=True, highlight=False, markup=False)


def _figures(study: Study, texts: dict[str, str], wording: Wording) -> Table:
    table = Table(
        title=f"{study.title} · {study.period[0]} – {study.period[1]}",
        title_justify="left",
        show_header=False,
    )
    # Chinese has no blanks to break at: without folding, what does not fit is cut
    table.add_column(overflow="fold")
    table.add_column(justify="right", overflow="fold")
    rests = dict(study.stay_points_by_kind).get("rest", 0)
    existing = sum(site.existing for site in study.sites)
    mark = wording.text("quantity.redacted_short", k=study.k)
    table.add_row(texts["riders"], _count(study.riders, mark))
    table.add_row(texts["points"], " / ".join(_count(rows, mark) for rows in rows_told(study.accounts)))
    table.add_row(texts["stay_points"], f"{_count(study.stay_points, mark)} ({_count(rests, mark)})")
    table.add_row(texts["demand"], _count(study.demand_min_a_day, mark))
    table.add_row(texts["stations"], f"{existing} / {len(study.sites) - existing}")
    solver = wording.text("solver.optimal")
    if study.solution.gap > 0:
        status = wording.term(f"solver.{study.solution.status}")
        solver = texts["gap"].format(status=status, gap=study.solution.gap)
    table.add_row(texts["solver"], solver, end_section=True)
    table.add_row(texts["covered"].format(minutes=study.limit_s / 60), "")
    for row in study.coverage:
        shares = _shares(row, mark, study.held_out_days > 0)
        table.add_row(f"  {wording.term(f'method.{row.method}')}", shares)
    if study.matching is not None:
        table.add_section()
        table.add_row(texts["tasks"], f"{study.matching.matched} / {study.matching.refused}")
        if study.matching.median_extra_s is not None:
            table.add_row(texts["extra"], texts["seconds"].format(value=study.matching.median_extra_s))
        table.add_row(texts["late"], str(study.matching.late_deliveries))
    return table


def _count(value: float | None, mark: str) -> str:
    return mark if value is None else f"{value:,.0f}"


def _shares(row: Coverage, mark: str, held_out: bool) -> str:
    """Shares served on training and held-out days; ``mark`` stands for one that is withheld."""
    shares = (row.served_training, row.served_held_out) if held_out else (row.served_training,)
    return " / ".join(mark if share is None else f"{share:.1%}" for share in shares)


def _sites(study: Study, texts: dict[str, str], wording: Wording) -> Table:
    table = Table(title=texts["sites"], title_justify="left")
    mark = wording.text("quantity.redacted_short", k=study.k)
    table.add_column("", no_wrap=True)
    for word in ("name", "kind", "hours"):
        table.add_column(texts[word], overflow="fold")
    table.add_column(texts["rest"], justify="right", overflow="fold")
    for site in study.sites:
        if not site.existing:
            rest = mark if site.rest_min_a_day is None else f"{site.rest_min_a_day:,.0f}"
            # Names come from maps and files: they are text, never markup.
            kind, hours = wording.term(f"kind.{site.kind}"), wording.opening(site.opening_hours)
            cells = (site.site_id, site.name, kind, hours, rest)
            table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table
