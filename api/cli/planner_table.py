"""The table that a planner reads in the terminal after a study, in the language of the study."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.forms import Language
from maps.texts import catalogue
from siting.results import Coverage, Study

__all__ = ["STAGES", "print_study", "stage_names"]

STAGES = ("map", "fleet", "traces", "stays", "paths", "siting", "matching", "files")

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
        "riders": "骑手",
        "points": "轨迹点：读取 / 采用 / 剔除",
        "stay_points": "停留点（其中休息）",
        "demand": "休息需求（骑手·分钟/日）",
        "stations": "驿站：现有 / 建议新增",
        "solver": "求解状态（差距）",
        "covered": "{minutes:g} 分钟内、开放且有座位（已服务）的休息需求：训练日 / 留出日",
        "yilu": "  本方案",
        "existing": "  仅现有驿站",
        "kmeans": "  k-means 中心点",
        "busiest": "  最繁忙格网",
        "random": "  随机选点（100 次平均）",
        "tasks": "任务：已匹配 / 未匹配",
        "extra": "顺路任务额外用时（中位数）",
        "late": "因任务而迟到的配送",
        "seconds": "{value:.0f} 秒",
        "sites": "建议站点",
        "name": "名称",
        "kind": "类型",
        "hours": "开放时间",
        "rest": "休息分钟/日",
        "micro": "微驿站",
        "standard": "标准站",
        "hub24": "24 小时站",
        "no_gap": "已证明最优",
        "open": "打开地图：",
        "serve": "启动服务：",
        "synthetic": "轨迹为模拟数据，结果只用于演示。",
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
        "solver": "Solver (gap)",
        "covered": "Rest demand served (within {minutes:g} min, open, with a seat): training / held-out days",
        "yilu": "  this plan",
        "existing": "  existing stations only",
        "kmeans": "  k-means centres",
        "busiest": "  busiest cells",
        "random": "  random sites (mean of 100)",
        "tasks": "Tasks: matched / refused",
        "extra": "Extra time of a task on the way (median)",
        "late": "Deliveries made late by tasks",
        "seconds": "{value:.0f} s",
        "sites": "Suggested stations",
        "name": "Name",
        "kind": "Kind",
        "hours": "Open",
        "rest": "Rest min/day",
        "micro": "micro",
        "standard": "standard",
        "hub24": "24 h hub",
        "no_gap": "proven optimal",
        "open": "Open the map:",
        "serve": "Start the service:",
        "synthetic": "The traces are made up: the result is for demonstration only.",
    },
}


def stage_names(language: Language) -> dict[str, str]:
    """Return the names of the stages for the progress bars."""
    return {stage: _TEXTS[language][stage] for stage in STAGES}


def print_study(study: Study, language: Language, out: Path, console: Console | None = None) -> None:
    """Print what was found, and how to go on.

    Parameters
    ----------
    study : Study
        The frozen result; every figure in it is safe to show.
    language : str
        ``zh`` or ``en``.
    out : Path
        Where the files are.
    console : Console, optional
        None: standard output.
    """
    texts = _TEXTS[language]
    screen = console or Console()
    screen.print(_figures(study, texts))
    screen.print(_sites(study, texts))
    for key, params in study.input_notes:
        screen.print(catalogue(language).text(key, **dict(params)), highlight=False, markup=False)
    if study.synthetic:
        screen.print(texts["synthetic"])
    for word, what in (("open", str(out / "map.html")), ("serve", f"yilu serve {out}")):
        screen.print(f"{texts[word]} {what}", soft_wrap=True, highlight=False, markup=False)


def _figures(study: Study, texts: dict[str, str]) -> Table:
    table = Table(
        title=f"{study.title} · {study.period[0]} – {study.period[1]}",
        title_justify="left",
        show_header=False,
    )
    table.add_column()
    table.add_column(justify="right")
    read = sum(account.read for account in study.accounts)
    accepted = sum(account.accepted for account in study.accounts)
    rests = dict(study.stay_points_by_kind).get("rest", 0)
    existing = sum(site.existing for site in study.sites)
    mark = f"<{study.k}"
    table.add_row(texts["riders"], _count(study.riders, mark))
    table.add_row(texts["points"], f"{read:,} / {accepted:,} / {read - accepted:,}")
    table.add_row(texts["stay_points"], f"{_count(study.stay_points, mark)} ({_count(rests, mark)})")
    table.add_row(texts["demand"], _count(study.demand_min_a_day, mark))
    table.add_row(texts["stations"], f"{existing} / {len(study.sites) - existing}")
    gap = texts["no_gap"] if study.solution.gap <= 0 else f"{study.solution.gap:.2%}"
    table.add_row(texts["solver"], f"{study.solution.status} ({gap})", end_section=True)
    table.add_row(texts["covered"].format(minutes=study.limit_s / 60), "")
    for row in study.coverage:
        table.add_row(texts.get(row.method, row.method), _shares(row, mark, study.held_out_days > 0))
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


def _sites(study: Study, texts: dict[str, str]) -> Table:
    table = Table(title=texts["sites"], title_justify="left")
    table.add_column("")
    for word in ("name", "kind", "hours"):
        table.add_column(texts[word])
    table.add_column(texts["rest"], justify="right")
    for site in study.sites:
        if not site.existing:
            rest = "—" if site.rest_min_a_day is None else f"{site.rest_min_a_day:,.0f}"
            # Names come from maps and files: they are text, never markup.
            cells = (site.site_id, site.name, texts.get(site.kind, site.kind), site.opening_hours, rest)
            table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table
