"""A simulated electronics store: people with tastes visit, view, put into the cart, buy, rate and send back."""

from pathlib import Path

import numpy as np

from recexp.data import Column, Dataset, Interactions
from recexp.data.column import take_rows
from recexp.data.ordering import ascending
from recexp.datasets.base import Source
from recexp.environments.electronics.calendar import DEVICES, HOURS, START, WEEKDAYS, WEEKS
from recexp.environments.electronics.people import CITIES
from recexp.environments.electronics.truth import check_folder, write_truth
from recexp.environments.electronics.world import EVENTS, Log, Many, World
from recexp.params import Fraction, Location, NonNegativeFloat, NonNegativeInt, params

DAY = 86_400


@params
class Electronics(Source):
    """One year of a store's events, the same for the same parameters wherever it is made; nothing is downloaded.

    The rows are the log of `recexp.environments.electronics.World`, which says how people behave: views, carts,
    purchases, ratings (1 to 5, `values`; NaN in other rows) and returns, in order of time. A session is a visit; a
    rating or a return, days later, is one of its own. The context of a row is the `hour` and `weekday` at which its
    visit began, the `device`, the person's `city` and the product's `price` in that week. `links` are friends.

    What is true but unknown to a store goes to `truth`, beside the data: see `recexp.environments.electronics.truth`.

    Parameters
    ----------
    n_users, n_products : how many there are; those without an event are absent from the data.
    n_visits : of all people together; a visit without a click leaves no trace.
    explained : share of what a person likes that features of people and products explain.
    noise : standard deviation of what of liking nothing explains.
    concentration : power by which exposure falls with the rank of a product in its category.
    eta : power by which examination falls with the place on a page: position bias.
    seed : seed of the store, which is not the run's: another seed is another store.
    truth : folder for what is true; the data are then simulated anew each time. None: it is not written.
    """

    n_users: Many
    n_products: Many
    n_visits: Many
    explained: Fraction
    noise: NonNegativeFloat
    concentration: NonNegativeFloat
    eta: NonNegativeFloat
    seed: NonNegativeInt
    truth: Location | None

    def check(self) -> None:
        if self.truth is not None:
            check_folder(Path(self.truth).expanduser(), "dataset.truth")

    def files(self) -> dict[str, Path] | None:
        return {} if self.truth is None else None

    def load(self) -> Dataset:
        world = World(
            n_users=self.n_users,
            n_products=self.n_products,
            n_visits=self.n_visits,
            explained=self.explained,
            noise=self.noise,
            concentration=self.concentration,
            eta=self.eta,
            seed=self.seed,
        )
        log = world.log()
        order = ascending(log.times)
        if self.truth is not None:
            write_truth(Path(self.truth).expanduser(), world, log, order)
        return Dataset(
            name=self.name,
            interactions=_rows(world, log, order),
            user_ids=np.arange(1, self.n_users + 1),
            item_ids=np.arange(1, self.n_products + 1),
            users=world.people.columns(),
            items=world.catalog.columns(),
            links=world.people.friends,
        ).compact(as_loaded=True)


def _rows(world: World, log: Log, order: np.ndarray) -> Interactions:
    """Return the rows of a log in an order, int (m,)."""
    sessions, begun = (take_rows(array, order) for array in _sessions(log))
    users, items = take_rows(log.users, order), take_rows(log.items, order)
    week = np.minimum(begun // (7 * DAY), WEEKS - 1)
    return Interactions(
        users=users,
        items=items,
        values=take_rows(log.values, order),
        n_users=world.n_users,
        n_items=world.n_products,
        timestamps=take_rows(log.times, order),
        events=_category(take_rows(log.events, order), EVENTS),
        sessions=sessions,
        context={
            "hour": _category(begun % DAY // 3600, HOURS),
            "weekday": _category(begun // DAY % 7, WEEKDAYS),
            "device": _category(take_rows(log.devices, order), DEVICES),
            "city": _category(world.people.city[users], CITIES),
            "price": Column.numeric(world.catalog.prices(items, week), "price"),
        },
        explicit=True,
    )


def _sessions(log: Log) -> tuple[np.ndarray, np.ndarray]:
    """Return the session of each row, int32 (m,), and when it began, int32 (m,), seconds since the year's beginning."""
    new = (np.diff(log.users, prepend=-1) != 0) | (np.diff(log.sessions, prepend=-1) != 0)
    sessions = np.cumsum(new, dtype=np.int32) - 1
    times = (log.times - START).astype(np.int32)
    begun = times[new][sessions]
    (later,) = np.nonzero(log.events >= EVENTS.index("rating"))
    sessions[later] = np.arange(len(later)) + np.count_nonzero(new)
    begun[later] = times[later]
    return sessions, begun


def _category(codes: np.ndarray, names: tuple[str, ...]) -> Column:
    return Column("category", codes.astype(np.int32), names)
