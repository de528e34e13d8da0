"""The `tallyport` command. A file beside this one has a group of verbs and imports heavy things late."""

import typer

from cli import audit, clock, dead_letters, doctor, imports, logs, organizations, republish, stack, verify

app = typer.Typer(
    name="tallyport",
    help="Run and look after a Tallyport stack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(stack.up)
app.command("down")(stack.down)
app.command("status")(stack.status)
app.command("logs")(logs.logs)
app.command("doctor")(doctor.doctor)
app.command("republish")(republish.republish)
app.command("verify")(verify.verify)
app.add_typer(imports.app, name="import")
app.add_typer(organizations.app, name="organization")
app.add_typer(clock.app, name="clock")
app.add_typer(audit.app, name="audit")
app.add_typer(dead_letters.app, name="dead-letters")


def main() -> None:
    """Entry point of the installed script."""
    app()


if __name__ == "__main__":
    main()
