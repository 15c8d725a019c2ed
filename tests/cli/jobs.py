"""Job XML the command line's tests share."""

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<job id="{id}" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">'


def command_job(name, *commands):
    """One step a command; they are called step1, step2…"""
    steps = ""
    for number, command in enumerate(commands, 1):
        following = f' next="step{number + 1}"' if number < len(commands) else ""
        steps += f"""
  <step id="step{number}"{following}>
    <batchlet ref="command"><properties><property name="command" value="{command}"/></properties></batchlet>
  </step>"""
    return HEAD.format(id=name) + steps + "\n</job>\n"


def two_steps(first, second, after, more="", name="two"):
    """`after` stands behind the first, `more` is more of its properties."""
    head = HEAD.format(id=name).replace(" xmlns=", ' xmlns:fer="urn:fermata:job:1" xmlns=')
    return head + f"""
  <step id="check" next="load">
    <batchlet ref="command"><properties><property name="command" value="{first}"/>{more}</properties></batchlet>
    {after}
  </step>
  <step id="load">
    <batchlet ref="command"><properties><property name="command" value="{second}"/></properties></batchlet>
  </step>
</job>
"""


def endless(name="endless"):
    return command_job(name, "tail -f /dev/null")


INTO_ITEM = """
      <writer ref="sqlWriter"><properties>
        <property name="url" value="sink.db"/><property name="table" value="item"/><property name="create" value="true"/>
      </properties></writer>"""

IMPORT = HEAD.format(id="import") + """
  <step id="load">
    <chunk item-count="10" skip-limit="5">
      <reader ref="csvReader"><properties>
        <property name="resource" value="#{jobParameters['file']}"/>
      </properties></reader>
      <processor ref="map"><properties><property name="cast" value="amount=integer"/></properties></processor>
      <writer ref="discardWriter"/>
      <skippable-exception-classes><include class="fermata.Error"/></skippable-exception-classes>
    </chunk>
  </step>
</job>
"""

NUMBERS = HEAD.format(id="numbers") + """
  <step id="load">
    <chunk item-count="2">
      <reader ref="rangeReader"><properties><property name="to" value="3"/></properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{jobParameters['sink']}"/>
        <property name="table" value="item"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""
