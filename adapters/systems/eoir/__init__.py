"""EOIR: the immigration courts' case data, a full extract of counted tables that is compared with the last one."""
