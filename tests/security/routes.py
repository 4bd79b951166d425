"""The routes of the portal, for tests that must not forget a new one."""

import models

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def with_method(app, *methods):
    """(rule, method) for each route that takes one of `methods`, in a stable order."""
    return [
        (rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
        for method in methods
        if method in rule.methods
    ]


def path_of(app, rule, value="x", **known):
    """The address of `rule`, `value` in each place that `known` does not give."""
    values = {name: known.get(name, value) for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def archive():
    """Everything that is stored, as the database gives it: walks ask hundreds of times."""
    stored = {}
    for table in models.TABLES:
        rows = models.db.execute_sql(f'SELECT * FROM "{table._meta.table_name}"').fetchall()
        stored[table] = sorted(map(str, rows))
    return stored
