"""A bank account that keeps its history."""

from dataclasses import dataclass, field


class InsufficientFunds(Exception):
    """More was asked for than the account holds."""


@dataclass
class BankAccount:
    """Amounts are in cents."""

    owner: str
    balance: int = 0
    history: list[int] = field(default_factory=list)

    def deposit(self, amount: int) -> None:
        """Add a positive amount to the balance and the history."""
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.history.append(amount)

    def withdraw(self, amount: int) -> None:
        """Take a positive amount out; raises InsufficientFunds when the balance is too small."""
        if amount <= 0:

        if amount > self.balance:
            raise InsufficientFunds(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        self.history.append(-amount)
