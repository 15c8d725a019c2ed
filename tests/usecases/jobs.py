"""Job XML the use cases share."""

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<job id="{id}" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0"{more}>'

RANGE = """<reader ref="rangeReader"><properties>
        <property name="from" value="1"/><property name="to" value="#{jobParameters['to']}"/>
      </properties></reader>"""


def into_item(name, reader, processor="", sink="#{jobParameters['sink']}", item_count=10, max_rate=10**9,
              table="item"):
    """One chunk step that writes into a table of the database `sink`; reader and processor are elements."""
    return HEAD.format(id=name, more="") + f"""
  <step id="load">
    <properties><property name="max-rate" value="{max_rate}"/></properties>
    <chunk item-count="{item_count}">
      {reader}
      {processor}
      <writer ref="sqlWriter"><properties>
        <property name="url" value="{sink}"/>
        <property name="table" value="{table}"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""
