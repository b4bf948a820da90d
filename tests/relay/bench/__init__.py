"""How fast a relay is, beside a bare endpoint that keeps the same and checks nothing."""
