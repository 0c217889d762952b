"""Request and response types of the REST API: camelCase outside, snake_case inside."""
