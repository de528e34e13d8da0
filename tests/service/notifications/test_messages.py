"""What staff see of messages, and trying again."""

import pytest

from chassis.caller import Audience
from chassis.errors import ServiceError
from chassis.rpc.client import user_metadata
from services.notifications.domain.message import State
from tallyport.notifications.v1 import messages_pb2
from tests.service.notifications.conftest import World
from tests.support.wait import until

PAT = "pat@buyer.example"


async def test_a_failed_message_can_be_tried_again_and_a_repeated_request_is_one(world: World) -> None:
    organization_id = await world.organization()
    world.post.answers.append("550 no")
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        invoice_id = await world.invoice(organization_id, PAT)

        async def failed() -> bool:
            return [m.state for m in await world.about(organization_id, invoice_id)] == [State.FAILED]

        await until(failed)
    (message,) = await world.listed(organization_id)
    request = messages_pb2.RetryMessageRequest(message_id=message.message_id)
    metadata = world.staff(organization_id, key="again")
    first = await world.messages.RetryMessage(request, metadata=metadata)
    assert first.state == messages_pb2.MESSAGE_STATE_QUEUED
    assert await world.messages.RetryMessage(request, metadata=metadata) == first
    (sent,) = await world.mailer.send_due()
    assert sent.state is State.SENT
    (mail,) = world.post.to(PAT)
    assert mail["Message-ID"] == f"<{message.message_id}@tp.example>"
    with pytest.raises(ServiceError, match="MESSAGE_NOT_FAILED"):
        await world.messages.RetryMessage(request, metadata=world.staff(organization_id))


async def test_a_message_without_address_cannot_be_tried_again(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        await world.invoice(organization_id, "not an address")
        await until(lambda: world.listed(organization_id))
    (message,) = await world.listed(organization_id)
    with pytest.raises(ServiceError, match="MESSAGE_HAS_NO_ADDRESS"):
        await world.messages.RetryMessage(
            messages_pb2.RetryMessageRequest(message_id=message.message_id),
            metadata=world.staff(organization_id),
        )


async def test_trying_again_goes_to_the_address_that_the_customer_has_now(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        await world.invoice(organization_id, "")
        await until(lambda: world.listed(organization_id))
        await world.customer(organization_id, PAT)
        (message,) = await world.listed(organization_id)
        request = messages_pb2.RetryMessageRequest(message_id=message.message_id)

        async def accepted() -> bool:
            try:
                await world.messages.RetryMessage(request, metadata=world.staff(organization_id))
            except ServiceError as error:
                if error.reason != "MESSAGE_HAS_NO_ADDRESS":
                    raise
                return False  # the address is still on its way
            return True

        await until(accepted)
        await until(lambda: world.post.to(PAT))
    assert (await world.listed(organization_id))[0].recipient == PAT


async def test_messages_are_listed_a_page_at_a_time_and_by_state_and_subject_matter(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        about = [await world.invoice(organization_id, email) for email in (PAT, "", PAT)]

        async def all_there() -> bool:
            return len(await world.listed(organization_id)) == 3

        await until(all_there)

    async def listed(**fields: object) -> messages_pb2.ListMessagesResponse:
        request = messages_pb2.ListMessagesRequest(**fields)  # type: ignore[arg-type]
        return await world.messages.ListMessages(request, metadata=world.staff(organization_id))

    first = await listed(page_size=2)
    rest = await listed(page_size=2, page_token=first.next_page_token)
    assert len(first.messages) == 2
    assert rest.next_page_token == ""
    assert {message.about_id for message in (*first.messages, *rest.messages)} == set(about)
    assert [m.about_id for m in (await listed(about_id=about[0])).messages] == [about[0]]
    failed = await listed(state=messages_pb2.MESSAGE_STATE_FAILED)
    assert [message.about_id for message in failed.messages] == [about[1]]
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await listed(page_token="nonsense")


async def test_another_organization_and_customers_see_nothing(world: World) -> None:
    harbor, quarry = await world.organization("harbor"), await world.organization("quarry")
    async with world.consuming():
        await world.invoice(harbor, PAT)
        await until(lambda: world.listed(harbor))
    (message,) = await world.listed(harbor)
    assert await world.listed(quarry) == []
    get = messages_pb2.GetMessageRequest(message_id=message.message_id)
    assert (await world.messages.GetMessage(get, metadata=world.staff(harbor))).recipient == PAT
    with pytest.raises(ServiceError, match="MESSAGE_NOT_FOUND"):
        await world.messages.GetMessage(get, metadata=world.staff(quarry))
    with pytest.raises(ServiceError, match="MESSAGE_NOT_FOUND"):
        await world.messages.RetryMessage(
            messages_pb2.RetryMessageRequest(message_id=message.message_id), metadata=world.staff(quarry)
        )
    customer = user_metadata(token=world.mesh.token(Audience.CUSTOMER, organization_id=harbor))
    with pytest.raises(ServiceError, match="AUDIENCE_NOT_ALLOWED"):
        await world.messages.GetMessage(get, metadata=customer)
