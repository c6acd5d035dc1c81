"""A command that runs experiments, carried out in this process: by Hydra, unless it is one plain job."""

import gc
import os
import sys

from recexp import config
from recexp.errors import ConfigError, InterruptedRunError
from recexp.folders import conf_dir
from recexp.sweeps.sweep import Sweep, resume_command


def run_command(sweep: Sweep, arguments: list[str]) -> None:
    """Run what the arguments say; `sweep` hears what becomes of each job. What goes wrong with a job is not raised.

    The garbage that imports have left is never looked at again.
    """
    import hydra

    from recexp.config_files import hydra_loader

    hydra_loader.install()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us instead of being printed and lost
    main = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(sweep.job)
    before, sys.argv = sys.argv, [sys.argv[0], *arguments]
    flags = {argument for argument in arguments if argument.startswith("-")}
    try:
        with config.translate_errors([argument for argument in arguments if argument not in flags]):
            try:
                single = None if flags else sweep.single(arguments)
                gc.freeze()
                gc.enable()
                main() if single is None else sweep.job(single)
            except KeyboardInterrupt:
                sweep.show()
                raise InterruptedRunError(f"interrupted; to continue: {resume_command(arguments)}") from None
            except Exception as error:
                if error not in sweep.errors:
                    raise
    finally:
        sys.argv = before
    if flags and flags <= {"-m", "--multirun"} and not sweep.results:
        raise ConfigError("the sweep has no jobs: glob(...) matches no option that `recexp GROUP --help` lists")
