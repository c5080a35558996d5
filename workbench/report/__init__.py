"""What the session tells its callers about folders, runs and predictions: plain frozen values."""

from workbench.report.choices import (
    BackboneChoice,
    BackboneFacts,
    Choices,
    MethodOffer,
    WeightsFile,
)
from workbench.report.forecasts import (
    ClassForecast,
    Forecast,
    ForecastScore,
    KeptForecast,
    OrderStudy,
    TaskForecast,
)
from workbench.report.pictures import (
    ClassReport,
    PictureChanges,
    Problem,
    ScanProgress,
    ScanReport,
    TaskReport,
)
from workbench.report.runs import (
    Guess,
    LearntRun,
    RunDetails,
    RunEstimate,
    RunSummary,
    SelfTestRow,
)

__all__ = [
    "BackboneChoice",
    "BackboneFacts",
    "Choices",
    "ClassForecast",
    "ClassReport",
    "Forecast",
    "ForecastScore",
    "Guess",
    "KeptForecast",
    "LearntRun",
    "MethodOffer",
    "OrderStudy",
    "PictureChanges",
    "Problem",
    "RunDetails",
    "RunEstimate",
    "RunSummary",
    "ScanProgress",
    "ScanReport",
    "SelfTestRow",
    "TaskForecast",
    "TaskReport",
    "WeightsFile",
]
