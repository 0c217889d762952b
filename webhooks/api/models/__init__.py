"""What goes over REST in either direction, typed: camelCase outside, snake_case inside."""
