"""The style sheet: the shapes and accents of controls that a palette cannot say.

Borders of controls keep 3:1 contrast with what lies around them (WCAG 2.2, 1.4.11).
"""

from typing import TYPE_CHECKING

from workbench.paths import resource

if TYPE_CHECKING:
    from workbench.face.theme import Theme


def style_sheet(theme: "Theme") -> str:
    """Return the style sheet in the colours of `theme`."""
    parts = (_frames, _buttons, _fields, _ticks, _tabs_and_bars, _tables, _menus)
    return "".join(part(theme) for part in parts)


def _icon(name: str, theme: "Theme") -> str:
    return f'url("{resource(f"icons/{name}-{theme.name}.svg").as_posix()}")'


def _frames(theme: "Theme") -> str:
    return f"""
    QFrame[card="true"] {{ background: {theme.base}; border: 1px solid {theme.border}; border-radius: 8px; }}
    QFrame[drop="true"] {{ background: transparent; border: 1px dashed {theme.control}; border-radius: 10px; }}
    QFrame[drop="hover"] {{ background: {theme.base}; border: 2px dashed {theme.accent}; border-radius: 10px; }}
    QGraphicsView[plot="true"] {{ border: 1px solid transparent; }}
    QGraphicsView[plot="true"]:focus {{ border: 1px solid {theme.accent}; border-radius: 4px; }}
    QLabel[heading="true"] {{ font-weight: 600; }}
    QLabel[muted="true"] {{ color: {theme.muted}; }}
    QLabel[level="warning"] {{ color: {theme.warning}; }}
    QLabel[level="error"] {{ color: {theme.bad}; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:hover {{ background: {theme.border}; }}
    QToolTip {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border}; padding: 5px; }}
    """


def _buttons(theme: "Theme") -> str:
    return f"""
    QPushButton {{ background: {theme.raised}; border: 1px solid {theme.control}; border-radius: 6px;
        padding: 4px 12px; }}
    QPushButton:hover {{ background: {theme.hover}; }}
    QPushButton:pressed {{ background: {theme.border}; }}
    QPushButton:focus {{ border: 2px solid {theme.accent}; padding: 3px 11px; }}
    QPushButton:disabled {{ border-color: {theme.border}; }}
    QPushButton#primary {{ background: {theme.accent}; color: {theme.on_accent}; font-weight: 600;
        border: 1px solid {theme.accent}; padding: 6px 18px; }}
    QPushButton#primary:focus {{ border: 2px solid {theme.text}; padding: 5px 17px; }}
    QPushButton#primary:pressed {{ background: {theme.text}; color: {theme.base}; }}
    QPushButton#primary:disabled {{ background: {theme.raised}; color: {theme.muted};
        border-color: {theme.border}; }}
    QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 6px;
        padding: 4px 8px; }}
    QToolButton[plain_menu="true"] {{ border-color: {theme.control}; background: {theme.raised}; padding: 4px 6px; }}
    QToolButton[plain_menu="true"]:hover {{ background: {theme.hover}; }}
    QToolButton[plain_menu="true"]:focus {{ border-color: {theme.accent}; }}
    QToolButton[plain_menu="true"]::menu-indicator {{ image: none; }}
    QToolButton[fold="true"] {{ padding: 3px 2px; font-weight: 600; }}
    QToolButton[small="true"] {{ padding: 0 3px; }}
    QToolButton:hover {{ background: {theme.hover}; }}
    QToolButton:focus {{ border-color: {theme.accent}; }}
    """


def _fields(theme: "Theme") -> str:
    down, up = _icon("down", theme), _icon("up", theme)
    return f"""
    QLineEdit, QComboBox, QSpinBox, QPlainTextEdit {{ background: {theme.base}; border: 1px solid {theme.control};
        border-radius: 6px; padding: 3px 7px; selection-background-color: {theme.accent};
        selection-color: {theme.on_accent}; }}
    QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{ border: 2px solid {theme.accent};
        padding: 2px 6px; }}
    QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {{ background: transparent;
        border-color: {theme.border}; }}
    QComboBox QLineEdit, QComboBox QLineEdit:focus {{ border: none; background: transparent; padding: 0; }}
    QComboBox::drop-down {{ border: none; width: 22px; }}
    QComboBox::down-arrow {{ image: {down}; width: 12px; height: 12px; }}
    QComboBox QAbstractItemView {{ background: {theme.base}; border: 1px solid {theme.border}; outline: 0;
        selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
    QSpinBox {{ padding-right: 20px; }}
    QSpinBox::up-button, QSpinBox::down-button {{ border: none; background: transparent; width: 18px; }}
    QSpinBox::up-arrow {{ image: {up}; width: 10px; height: 10px; }}
    QSpinBox::down-arrow {{ image: {down}; width: 10px; height: 10px; }}
    """


def _ticks(theme: "Theme") -> str:
    return f"""
    QCheckBox, QRadioButton {{ spacing: 7px; }}
    QCheckBox::indicator, QAbstractItemView::indicator {{ width: 14px; height: 14px; background: {theme.base};
        border: 1px solid {theme.control}; border-radius: 4px; }}
    QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{ background: {theme.accent};
        border-color: {theme.accent}; image: {_icon("check", theme)}; }}
    QRadioButton::indicator {{ width: 14px; height: 14px; background: {theme.base};
        border: 1px solid {theme.control}; border-radius: 8px; }}
    QRadioButton::indicator:checked {{ width: 6px; height: 6px; background: {theme.on_accent};
        border: 5px solid {theme.accent}; }}
    QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {theme.text}; }}
    QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {theme.border};
        border-color: {theme.border}; }}
    """


def _tabs_and_bars(theme: "Theme") -> str:
    return f"""
    QTabWidget::pane {{ border: none; }}
    QTabBar::tab {{ background: transparent; border: none; border-bottom: 2px solid transparent;
        padding: 5px 10px; margin-right: 4px; color: {theme.muted}; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; }}
    QTabBar::tab:hover {{ color: {theme.text}; }}
    QTabBar::tab:focus {{ background: {theme.hover}; }}
    QProgressBar {{ background: {theme.grid}; border: none; border-radius: 3px; max-height: 6px; }}
    QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
    QSlider::groove:horizontal {{ background: {theme.border}; height: 4px; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: 2px; }}
    QSlider::sub-page:horizontal:disabled {{ background: {theme.border}; }}
    QSlider::handle:horizontal {{ background: {theme.raised}; border: 1px solid {theme.control};
        width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; }}
    QSlider::handle:horizontal:hover {{ background: {theme.hover}; }}
    QSlider::handle:horizontal:focus {{ border: 2px solid {theme.accent}; width: 12px; height: 12px; }}
    QSlider::handle:horizontal:disabled {{ border-color: {theme.border}; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ width: 10px; }}
    QScrollBar:horizontal {{ height: 10px; }}
    QScrollBar::handle {{ background: {theme.handle}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 28px; }}
    QScrollBar::handle:horizontal {{ min-width: 28px; }}
    QScrollBar::handle:hover {{ background: {theme.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """


def _tables(theme: "Theme") -> str:
    return f"""
    QTableView, QTreeView, QTextBrowser, QListWidget, QListView#gallery {{ background: {theme.base}; border: 1px solid {theme.border}; border-radius: 8px;
        outline: 0; }}
    QTextBrowser[plain="true"], QTextBrowser[plain="true"]:focus {{ border: none; background: transparent; }}
    QTableView::item {{ padding: 0 8px; border: none; }}
    QTreeView::item {{ padding: 3px 2px; }}
    QTableView::item:selected, QTreeView::item:selected, QListWidget::item:selected, QListView#gallery::item:selected {{
        background: {theme.hover}; color: {theme.text}; }}
    QListWidget::item {{ padding: 2px 6px; }}
    QTableView:focus, QTreeView:focus, QTextBrowser:focus, QListWidget:focus, QListView#gallery:focus {{ border-color: {theme.accent}; }}
    QHeaderView {{ background: transparent; }}
    QHeaderView::section {{ background: transparent; color: {theme.muted}; border: none; font-weight: 400;
        border-bottom: 1px solid {theme.border}; padding: 4px 8px; }}
    QHeaderView::up-arrow {{ image: {_icon("up", theme)}; width: 10px; height: 10px; }}
    QHeaderView::down-arrow {{ image: {_icon("down", theme)}; width: 10px; height: 10px; }}
    QTableView[whole="true"] QHeaderView::section:vertical {{ border: none; color: {theme.text}; }}
    QTableView[whole="true"] QTableCornerButton::section {{ background: transparent; border: none;
        border-bottom: 1px solid {theme.border}; }}
    """


def _menus(theme: "Theme") -> str:
    return f"""
    QToolBar {{ background: {theme.window}; border: none; border-bottom: 1px solid {theme.border};
        padding: 1px 6px; spacing: 2px; }}
    QToolBar::separator {{ background: {theme.border}; width: 1px; margin: 5px 6px; }}
    QStatusBar {{ border-top: 1px solid {theme.border}; }}
    QStatusBar::item {{ border: none; }}
    QMenuBar {{ background: {theme.window}; border: none; padding: 1px 4px; }}
    QMenuBar::item {{ background: transparent; padding: 3px 8px; border-radius: 4px; }}
    QMenuBar::item:selected {{ background: {theme.hover}; }}
    QMenu {{ background: {theme.base}; border: 1px solid {theme.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 22px 5px 14px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
    QMenu::item:disabled {{ background: transparent; color: {theme.muted}; }}
    QMenu::separator {{ background: {theme.border}; height: 1px; margin: 4px 8px; }}
    """
