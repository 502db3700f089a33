"""who is asking: sessions that ended, API tokens, logins"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '0010'
down_revision: str | None = '0009'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('api_tokens',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('issued_by', sa.Uuid(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('scopes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked', sa.Boolean(), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens'))
    )
    op.create_index('ix_api_tokens_person_id', 'api_tokens', ['person_id', 'id'], unique=False)
    op.create_index('ix_api_tokens_token_hash', 'api_tokens', ['token_hash'], unique=True)
    op.create_table('ended_sessions',
    sa.Column('id_hash', sa.String(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id_hash', name=op.f('pk_ended_sessions'))
    )
    op.create_index('ix_ended_sessions_until', 'ended_sessions', ['until'], unique=False)
    op.create_table('invitations',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('secret_hash', sa.String(), nullable=False),
    sa.Column('login', sa.String(), nullable=False),
    sa.Column('invited_by', sa.Uuid(), nullable=False),
    sa.Column('invited_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_invitations_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_invitations_secret_hash'))
    )
    op.create_table('login_sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('id_hash', sa.String(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('agent', sa.String(), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('idle_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('absolute_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_login_sessions_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_sessions')),
    sa.UniqueConstraint('id_hash', name=op.f('uq_login_sessions_id_hash'))
    )
    op.create_index('ix_login_sessions_person_id', 'login_sessions', ['person_id', 'id'], unique=False)
    op.create_table('logins',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('password_hash', sa.String(), nullable=False),
    sa.Column('password_set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('totp_secret_sealed', sa.String(), nullable=True),
    sa.Column('totp_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('totp_step', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('totp_confirmed_at IS NULL OR totp_secret_sealed IS NOT NULL', name=op.f('ck_logins_factor_has_secret')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_logins_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_logins')),
    sa.UniqueConstraint('name', name=op.f('uq_logins_name'))
    )
    op.create_table('recovery_codes',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_recovery_codes_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'code_hash', name=op.f('pk_recovery_codes'))
    )
    op.add_column('people', sa.Column('service_account', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('people', sa.Column('session_epoch', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
