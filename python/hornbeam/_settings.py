"""Where the settings of the package are kept; `hornbeam.config` is how they are read and set."""

import dataclasses


@dataclasses.dataclass
class Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    interactive_logging: bool = True
    traceback_filtering: bool = True
    flash_attention: bool | None = None
    unsafe_deserialization: bool = False
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


settings = Settings()
