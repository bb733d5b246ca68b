"""SeedGenerator under the name of its family; `ops` needs it too, so it is made further down."""

from hornbeam._seeds import SeedGenerator, draw_seed, global_seed_generator, make_seed

__all__ = ["SeedGenerator", "draw_seed", "global_seed_generator", "make_seed"]
