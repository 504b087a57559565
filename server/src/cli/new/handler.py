"""A handler: `mirra run .` calls it once, `mirra serve .` answers HTTP with it."""


async def handler(event, context):
    print(f"called as {context.execution_id}")
    return {"success": True, "greeting": f"Hello, {event.get('name', 'world')}!"}
