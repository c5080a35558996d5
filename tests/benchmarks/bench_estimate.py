"""How near the estimate of the sample's quick run comes to the run itself, by the clock, in one process.

`python -m tests.benchmarks.bench_estimate`: some estimates, then the run they are about.
"""

import sys
import time
from tempfile import TemporaryDirectory

from workbench.report import RunEstimate
from workbench.session import Session

TIMES = 3


def main() -> None:
    """Print each estimate with what it took, the run's seconds and the ratios."""
    with TemporaryDirectory() as home:
        session = Session(home)
        config = session.sample_config()
        estimates = []
        for _ in range(TIMES):
            began = time.perf_counter()
            found = [item for item in session.estimate(config) if isinstance(item, RunEstimate)]
            estimates.append(found[0].seconds)
            say(f"estimated {estimates[-1]:.0f} s, in {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        assert session.start(config).work() == "finished"
        taken = time.perf_counter() - began
        ratios = ", ".join(f"{each / taken:.2f}" for each in estimates)
        say(f"the run took {taken:.0f} s; estimated / taken: {ratios}")
        session.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
