"""One suite for everything that has prometheus_client's surface.

It is written from prometheus_client's documentation and behaviour. No test names what it tests:
it takes the fixture `client`, and `--subject` says which module that is. The subject
`prometheus_client` is the reference, as published; it shows that the tests themselves are right.
"""
