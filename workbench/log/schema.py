"""The log's schema as numbered migrations. Append one, never edit one.

Source: sqlite-utils 4 (`Migrations`).
"""

from sqlite_utils import Database, Migrations

MIGRATIONS = Migrations("workbench")


@MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Runs and what they say; child tables name a run by its short number, not by its id."""
    db.executescript("""
    CREATE TABLE run (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        state TEXT NOT NULL, state_reason TEXT NOT NULL DEFAULT '',
        created TEXT NOT NULL, started TEXT, ended TEXT,
        config TEXT NOT NULL, switches TEXT NOT NULL, seeds TEXT NOT NULL, versions TEXT NOT NULL,
        profile TEXT NOT NULL, backbone TEXT NOT NULL, seed INTEGER NOT NULL,
        tasks_total INTEGER NOT NULL, class_order TEXT, sequence TEXT, device TEXT,
        weights_sha256 TEXT, feature_width INTEGER, trainable_parameters INTEGER,
        pid INTEGER NOT NULL, pid_started REAL NOT NULL, heartbeat TEXT NOT NULL
    );
    CREATE TABLE run_task (
        run INTEGER NOT NULL REFERENCES run(number), position INTEGER NOT NULL, name TEXT NOT NULL,
        classes TEXT NOT NULL, class_ids TEXT NOT NULL, train_counts TEXT NOT NULL,
        test_counts TEXT NOT NULL, fingerprint TEXT NOT NULL,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID;
    CREATE TABLE event (
        run INTEGER NOT NULL REFERENCES run(number), n INTEGER NOT NULL, time REAL NOT NULL,
        kind TEXT NOT NULL, fields TEXT NOT NULL,
        PRIMARY KEY (run, n)
    ) WITHOUT ROWID;
    CREATE TABLE step (
        run INTEGER NOT NULL REFERENCES run(number), n INTEGER NOT NULL, time REAL NOT NULL,
        task INTEGER NOT NULL, epoch INTEGER NOT NULL, step INTEGER NOT NULL, lr REAL,
        PRIMARY KEY (run, n)
    ) WITHOUT ROWID;
    CREATE TABLE metric_key (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,
        unit TEXT NOT NULL, formula TEXT NOT NULL, better TEXT NOT NULL,
        UNIQUE (kind, name)
    );
    CREATE TABLE metric (
        run INTEGER NOT NULL REFERENCES run(number), metric_key INTEGER NOT NULL REFERENCES metric_key(id),
        step INTEGER NOT NULL, n INTEGER NOT NULL, task INTEGER NOT NULL, epoch INTEGER NOT NULL,
        value REAL, reason TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (run, metric_key, step, n)
    ) WITHOUT ROWID;
    CREATE TABLE accuracy (
        run INTEGER NOT NULL REFERENCES run(number), after_task INTEGER NOT NULL, on_task INTEGER NOT NULL,
        value REAL, task_incremental REAL, task_id REAL, baseline REAL, pictures INTEGER,
        PRIMARY KEY (run, after_task, on_task)
    ) WITHOUT ROWID;
    CREATE TABLE run_summary (
        run INTEGER PRIMARY KEY REFERENCES run(number), last_event INTEGER NOT NULL DEFAULT 0,
        tasks_done INTEGER NOT NULL DEFAULT 0, average_accuracy REAL, final_accuracy REAL,
        forgetting REAL, baseline_accuracy REAL
    );
    CREATE TABLE artifact (
        run INTEGER NOT NULL REFERENCES run(number), kind TEXT NOT NULL, path TEXT NOT NULL,
        bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created TEXT NOT NULL,
        PRIMARY KEY (run, kind, path)
    ) WITHOUT ROWID;
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """)


@MIGRATIONS()
def m002_views(db: Database) -> None:
    """The tables as a person reads them; tasks count from 0, accuracies are fractions."""
    db.executescript("""
    CREATE VIEW runs AS
        SELECT r.id, r.name, r.state, r.state_reason, r.created, r.started, r.ended, r.profile, r.backbone,
               r.seed, r.device, s.tasks_done, r.tasks_total, s.average_accuracy, s.final_accuracy,
               s.forgetting, s.baseline_accuracy AS baseline
        FROM run r JOIN run_summary s ON s.run = r.number
        ORDER BY r.created DESC, r.number DESC;
    CREATE VIEW curves AS
        SELECT r.id AS run_id, r.name AS run, k.name AS curve, k.kind, k.label, m.task, t.name AS task_name,
               m.epoch, m.step, m.value, k.unit, m.reason AS absent_because, k.formula
        FROM metric m JOIN run r ON r.number = m.run JOIN metric_key k ON k.id = m.metric_key
        LEFT JOIN run_task t ON t.run = m.run AND t.position = m.task;
    CREATE VIEW accuracy_matrix AS
        SELECT r.id AS run_id, r.name AS run, a.after_task, l.name AS after_task_name, a.on_task,
               o.name AS on_task_name, a.value AS accuracy, a.task_incremental AS accuracy_task_given,
               a.task_id AS task_recognised, a.baseline, a.pictures AS test_pictures
        FROM accuracy a JOIN run r ON r.number = a.run
        LEFT JOIN run_task l ON l.run = a.run AND l.position = a.after_task
        LEFT JOIN run_task o ON o.run = a.run AND o.position = a.on_task;
    """)


@MIGRATIONS()
def m003_pairs(db: Database) -> None:
    """A measure may be about a pair of tasks, and knows when it was made; losses find their time in `step`."""
    db.executescript("""
    ALTER TABLE metric ADD COLUMN other INTEGER;
    ALTER TABLE metric ADD COLUMN time REAL;
    DROP VIEW curves;
    CREATE VIEW curves AS
        SELECT r.id AS run_id, r.name AS run, k.name AS curve, k.kind, k.label, m.task, t.name AS task_name,
               m.other AS other_task, o.name AS other_task_name, m.epoch, m.step, m.value, k.unit,
               m.reason AS absent_because, k.formula, m.time
        FROM metric m JOIN run r ON r.number = m.run JOIN metric_key k ON k.id = m.metric_key
        LEFT JOIN run_task t ON t.run = m.run AND t.position = m.task
        LEFT JOIN run_task o ON o.run = m.run AND o.position = m.other;
    """)


@MIGRATIONS()
def m004_forecasts(db: Database) -> None:
    """Forecasts made before a task was learnt, kept with how good they turned out to be."""
    db.executescript("""
    CREATE TABLE forecast (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(number), candidate TEXT NOT NULL,
        created TEXT NOT NULL, forecast TEXT NOT NULL, scored TEXT, score TEXT
    );
    CREATE INDEX forecast_of_run ON forecast (run);
    CREATE VIEW forecasts AS
        SELECT r.id AS run_id, r.name AS run, f.candidate, f.created, f.forecast, f.scored, f.score
        FROM forecast f JOIN run r ON r.number = f.run
        ORDER BY f.created DESC, f.id DESC;
    """)


@MIGRATIONS()
def m005_table_of_runs(db: Database) -> None:
    """Notes, stars, tags and the bin; indexes for what the table of runs sorts by.

    `deleted` is when a run was moved to the bin. The view `runs` leaves those out, since a person
    who asks for the runs does not mean what was thrown away; the table `run` has them until the bin
    is emptied. The pinned baseline is the `setting` "baseline", a run's id.
    """
    db.executescript("""
    ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE run ADD COLUMN deleted TEXT;
    ALTER TABLE run ADD COLUMN imported TEXT;
    CREATE TABLE run_tag (
        run INTEGER NOT NULL REFERENCES run(number), tag TEXT NOT NULL COLLATE NOCASE,
        PRIMARY KEY (run, tag)
    ) WITHOUT ROWID;
    CREATE INDEX run_tag_by_tag ON run_tag (tag);
    CREATE INDEX run_by_created ON run (created);
    CREATE INDEX run_by_name ON run (name COLLATE NOCASE);
    CREATE INDEX run_by_state ON run (state);
    CREATE INDEX run_by_profile ON run (profile);
    CREATE INDEX run_by_backbone ON run (backbone COLLATE NOCASE);
    CREATE INDEX run_by_seed ON run (seed);
    CREATE INDEX run_by_note ON run (note COLLATE NOCASE);
    CREATE INDEX run_by_star ON run (starred);
    CREATE INDEX summary_by_tasks ON run_summary (tasks_done);
    CREATE INDEX summary_by_average ON run_summary (average_accuracy);
    CREATE INDEX summary_by_final ON run_summary (final_accuracy);
    CREATE INDEX summary_by_forgetting ON run_summary (forgetting);
    CREATE INDEX summary_by_baseline ON run_summary (baseline_accuracy);
    DROP VIEW runs;
    CREATE VIEW runs AS
        SELECT r.id, r.name, r.state, r.state_reason, r.created, r.started, r.ended, r.profile, r.backbone,
               r.seed, r.device, s.tasks_done, r.tasks_total, s.average_accuracy, s.final_accuracy,
               s.forgetting, s.baseline_accuracy AS baseline, r.starred, r.note,
               (SELECT group_concat(tag, ', ') FROM run_tag t WHERE t.run = r.number) AS tags, r.imported
        FROM run r JOIN run_summary s ON s.run = r.number
        WHERE r.deleted IS NULL
        ORDER BY r.created DESC, r.number DESC;
    """)


@MIGRATIONS()
def m006_queue(db: Database) -> None:
    """Runs that wait for their turn, and what several runs were trained for together.

    A waiting run is a row of `queued`; when it starts, the row goes and the run takes its group along.
    """
    db.executescript("""
    CREATE TABLE run_group (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL,
        of_run TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID;
    CREATE TABLE queued (
        id INTEGER PRIMARY KEY, position INTEGER NOT NULL, label TEXT NOT NULL, config TEXT NOT NULL,
        group_id TEXT NOT NULL DEFAULT '', member TEXT NOT NULL DEFAULT '{}', created TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting', reason TEXT NOT NULL DEFAULT ''
    );
    ALTER TABLE run ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN member TEXT NOT NULL DEFAULT '{}';
    CREATE INDEX run_of_group ON run (group_id) WHERE group_id <> '';
    CREATE VIEW groups AS
        SELECT g.id AS group_id, g.kind, g.title, g.created, r.id AS run_id, r.name AS run, r.state, r.member,
               s.final_accuracy, s.average_accuracy, s.forgetting
        FROM run_group g JOIN run r ON r.group_id = g.id JOIN run_summary s ON s.run = r.number
        ORDER BY g.created DESC, r.number;
    """)


@MIGRATIONS()
def m007_monitor_share(db: Database) -> None:
    """The NTK monitor's share of the time so far, which only the clock knows."""
    db.execute("ALTER TABLE run_summary ADD COLUMN monitor_share REAL")


@MIGRATIONS()
def m008_parent(db: Database) -> None:
    """The run that a run goes on from, by its id: the same run with more tasks or more epochs."""
    db.execute("ALTER TABLE run ADD COLUMN parent_run TEXT NOT NULL DEFAULT ''")


@MIGRATIONS()
def m009_groups_without_the_bin(db: Database) -> None:
    """The view of groups leaves out what is in the bin, as that of runs does."""
    db.executescript("""
    DROP VIEW groups;
    CREATE VIEW groups AS
        SELECT g.id AS group_id, g.kind, g.title, g.created, r.id AS run_id, r.name AS run, r.state, r.member,
               s.final_accuracy, s.average_accuracy, s.forgetting
        FROM run_group g JOIN run r ON r.group_id = g.id JOIN run_summary s ON s.run = r.number
        WHERE r.deleted IS NULL
        ORDER BY g.created DESC, r.number;
    """)


@MIGRATIONS()
def m010_precision(db: Database) -> None:
    """The tier of precision that a run is trained in, beside the device; empty where it was not recorded."""
    db.executescript("""
    ALTER TABLE run ADD COLUMN precision TEXT NOT NULL DEFAULT '';
    DROP VIEW runs;
    CREATE VIEW runs AS
        SELECT r.id, r.name, r.state, r.state_reason, r.created, r.started, r.ended, r.profile, r.backbone,
               r.seed, r.device, r.precision, s.tasks_done, r.tasks_total, s.average_accuracy, s.final_accuracy,
               s.forgetting, s.baseline_accuracy AS baseline, r.starred, r.note,
               (SELECT group_concat(tag, ', ') FROM run_tag t WHERE t.run = r.number) AS tags, r.imported
        FROM run r JOIN run_summary s ON s.run = r.number
        WHERE r.deleted IS NULL
        ORDER BY r.created DESC, r.number DESC;
    """)
