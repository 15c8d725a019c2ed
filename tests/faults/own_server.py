"""Workers on a PostgreSQL server of their own."""

import postgres
from engines import Postgres
from jobs import RANGE, into_item
from workers import Workers


class OnAServerOfItsOwn(Workers):
    """For a TestCase."""

    SETTINGS = ["fsync=off"]

    def setUp(self):
        arguments = [word for setting in self.SETTINGS for word in ("-c", setting)]
        self.server = postgres.Cluster(arguments=arguments)
        self.addCleanup(self.server.close)
        self.ENGINE = lambda: Postgres(lambda: postgres.Database(self.server).url)
        super().setUp()

    def begin_import(self, name, rows, rate):
        self.define(into_item(name, RANGE, max_rate=rate, item_count=5, table=name), name)
        return self.start(name, "-p", f"sink={self.engine.own.url}", "-p", f"to={rows}")

    def expect_each_row_once(self, name, rows):
        self.assertEqual(list(range(1, rows + 1)), self.engine.own.numbers("value", name))
