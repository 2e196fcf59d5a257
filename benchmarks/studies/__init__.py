"""Studies that are finished: what they found stands in the docs. The README beside this names them."""
