"""A simulated electronics store: people with tastes visit, view, put into the cart, buy, rate and send back."""

from pathlib import Path

from recexp.data import Dataset
from recexp.data.ordering import ascending
from recexp.datasets.base import Source
from recexp.environments.electronics.rows import dataset, interactions
from recexp.environments.electronics.truth import check_folder, write_truth
from recexp.environments.electronics.world import Many, World
from recexp.params import Location, NonNegativeFloat, NonNegativeInt, Share, params


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
    homophily : how much of a friend's hidden taste is added to one's own; 0: friends are strangers in taste.
    noise : standard deviation of what of liking nothing explains.
    concentration : power by which exposure falls with the rank of a product in its category.
    eta : power by which examination falls with the place on a page: position bias.
    seed : seed of the store, which is not the run's: another seed is another store.
    truth : folder for what is true; the data are then simulated anew each time. None: it is not written.
    """

    n_users: Many
    n_products: Many
    n_visits: Many
    explained: Share
    homophily: NonNegativeFloat
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
            homophily=self.homophily,
            noise=self.noise,
            concentration=self.concentration,
            eta=self.eta,
            seed=self.seed,
        )
        log = world.log()
        order = ascending(log.times)
        if self.truth is not None:
            write_truth(Path(self.truth).expanduser(), world, log, order)
        return dataset(world, self.name, interactions(world, log, order)).compact(as_loaded=True)
