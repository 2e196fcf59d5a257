import { price } from "./price";

const LIMITS = {
  items: 20,
  total: {
    net: 1000,
    gross: 1190,
  },
  onFull(cart) {
    cart.warn("full");
    return false;
  },
};

/** What somebody wants to buy. */
export class Cart {
  #items = [];

  constructor(owner, limits = LIMITS) {
    this.owner = owner;
    this.limits = limits;
  }

  get size() {
    return this.#items.length;
  }

  add(item, count = 1) {
    if (this.size + count > this.limits.items) {
      return this.limits.onFull(this);
    }
    for (let index = 0; index < count; index += 1) {
      this.#items.push(item);
    }
    this.changed = true;
    return true;
  }

  total(rate) {
    let sum = 0;
    for (const item of this.#items) {
      const each = price(item, rate);
      sum += each;
    }
    return Math.min(sum, this.limits.total.gross);
  }

  warn(message) {
    console.warn(this.owner, message);
  }
}

export function kind(cart) {
  switch (cart.size) {
    case 0:
      return "empty";
    case 1:
      return "single";
    default:
      return "many";
  }
}
