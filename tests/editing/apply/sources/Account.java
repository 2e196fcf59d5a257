package bank;

import java.util.ArrayList;
import java.util.List;

/** Money that somebody keeps. */
public class Account
    implements Comparable<Account>
{
    private static final long LIMIT = 1_000L;
    private final String owner;
    private final List<Long> moves = new ArrayList<>();
    private long balance;

    public Account(String owner) {
        this.owner = owner;
        this.balance = 0;
    }

    public void add(long amount) {
        check(amount);
        moves.add(amount);
        balance += amount;
    }

    public void add(long amount, String reason) {
        add(amount);
        System.out.println(owner + ": " + reason);
    }

    @Override
    public int compareTo(Account other) {
        return Long.compare(balance, other.balance);
    }

    public String state() {
        if (balance < 0) {
            return "overdrawn";
        }
        switch ((int) (balance / LIMIT)) {
            case 0:
                return "small";
            case 1:
                return "usual";
            default:
                return "large";
        }
    }

    private void check(long amount) {
        if (amount == 0) {
            throw new IllegalArgumentException("nothing to move");
        }
    }
}
