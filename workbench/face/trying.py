"""The feature behind Try it: which backbone the settings name, and switching to an adapter's own."""

from workbench.face.desk import Desk
from workbench.face.feature import Feature


class TryItFeature(Feature):
    """Joins the panel to the draft."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        desk.try_it.opener.chosen_backbone = self.chosen_backbone
        desk.try_it.opener.switch_requested.connect(self.switch_backbone)

    def chosen_backbone(self) -> str:
        """Return the backbone that the settings name."""
        return self.desk.draft.state.run_config().model.backbone

    def switch_backbone(self, name: str) -> None:
        """Name another backbone in the settings; a run that trains keeps its own."""
        if self.desk.fixed:
            self.desk.toast.say(self.tr("The settings are fixed while a run trains."))
        else:
            self.desk.draft.set_values({"model.backbone": name}, self.tr("Switch backbone"))
