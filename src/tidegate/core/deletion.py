"""What was said and is to be kept no more."""

from msgspec import Struct


class Deletion(Struct, frozen=True, omit_defaults=True):
    """What was said before `before_s`; of that customer and end user, where they are named."""

    before_s: float
    customer: str | None = None
    end_user: str | None = None

    def covers(self, at_s: float, customer: str | None, end_user: str | None) -> bool:
        return (
            at_s < self.before_s
            and self.customer in (None, customer)
            and self.end_user in (None, end_user)
        )
